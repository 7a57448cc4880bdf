"""The wide part in the SavedModel's graph gives the predictions of the compiled one."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import Head, TextConfig
from model.scoring.tokenizer_graph import TokenizerGraph
from model.scoring.wide_graph import WideGraph
from tests.model.wide.test_wide_part import TEXTS, VOCABULARY, read, wide_part

texts_of_any_kind = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5
)


@pytest.mark.parametrize(("head", "labels"), [("softmax", 3), ("sigmoid", 2), ("multilabel", 3)])
def test_graph_and_kernel_agree(head: Head, labels: int) -> None:
    wide = wide_part(labels=labels, head=head)
    graph = WideGraph(wide, VOCABULARY, head=head)
    tokenize = TokenizerGraph(TextConfig(), VOCABULARY)
    random = np.random.default_rng(0)

    @settings(deadline=None, max_examples=25)
    @given(texts_of_any_kind)
    def check(texts: list[str]) -> None:
        texts = [*TEXTS, *texts, ""]
        probabilities = random.dirichlet(np.ones(labels), len(texts)).astype("f4")
        tokens = tokenize(tf.constant(texts))
        got = graph(tf.constant(probabilities), tokens["ids"], tokens["folded"])
        expected = wide.combine(probabilities, wide.logits(read(texts)))
        assert np.allclose(got, expected, atol=1e-5)

    check()


def test_a_batch_may_be_empty() -> None:
    graph = WideGraph(wide_part(), VOCABULARY, head="softmax")
    tokens = TokenizerGraph(TextConfig(), VOCABULARY)(tf.constant([], tf.string))
    assert graph(tf.zeros([0, 3]), tokens["ids"], tokens["folded"]).shape == (0, 3)


def test_documents_of_one_token_have_no_bigrams() -> None:
    wide = wide_part()
    graph = WideGraph(wide, VOCABULARY, head="softmax")
    tokens = TokenizerGraph(TextConfig(), VOCABULARY)(tf.constant(["film", "unknown"]))
    even = np.full((2, 3), 1 / 3, "f4")
    expected = wide.combine(even, wide.logits(read(["film", "unknown"])))
    assert np.allclose(graph(tf.constant(even), tokens["ids"], tokens["folded"]), expected, 1e-5)
