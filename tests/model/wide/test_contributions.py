"""The contributions of tokens: their formula, and that they add up to the logits of documents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import Head, WideConfig
from model.wide.contributions import Contributions
from model.wide.wide_part import WidePart
from tests.model.wide.test_wide_part import IDS, TEXTS, read, tokens_of, wide_part
from tests.model.wide.wide_reference import reference_contributions

KINDS: list[tuple[Head, int]] = [
    ("softmax", 3),
    ("softmax", 7),
    ("softmax", 2),
    ("sigmoid", 2),
    ("multilabel", 1),
    ("multilabel", 3),
]


def margins(wide: WidePart, logits: np.ndarray, labels: np.ndarray, *, head: Head) -> np.ndarray:
    """Each document's score of its label, from the wide part's logits."""
    beta = wide.weights["mix"][1]
    rows = np.arange(len(labels))
    if head == "multilabel":
        return beta * logits[rows, labels]
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    own = logits[rows, labels]
    others = (logits.sum(axis=1) - own) / (logits.shape[1] - 1)
    return beta * (own - others)


@pytest.mark.parametrize(("head", "labels"), KINDS)
def test_contributions_follow_the_formula_and_add_up(head: Head, labels: int) -> None:
    wide = wide_part(labels=labels, head=head)

    @settings(deadline=None, max_examples=25)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        texts = [*TEXTS, *data.draw(st.lists(st.text(max_size=40), max_size=4))]
        chosen = st.lists(st.integers(0, labels - 1), min_size=len(texts), max_size=len(texts))
        label = np.array(data.draw(chosen))
        documents = read(texts)
        found = wide.contributions(wide.weigh(documents), label)
        offsets = documents.row_offsets
        for row, text in enumerate(texts):
            tokens, bias = reference_contributions(
                tokens_of(text),
                IDS,
                wide.weights,
                label=label[row],
                independent=head == "multilabel",
            )
            assert np.allclose(found.tokens[offsets[row] : offsets[row + 1]], tokens, atol=1e-4)
            assert found.rest[row] == pytest.approx(bias, abs=1e-5)
        sums = found.rest + np.bincount(
            np.repeat(np.arange(len(texts)), np.diff(offsets)), found.tokens, len(texts)
        )
        expected = margins(wide, wide.logits(documents), label, head=head)
        assert np.allclose(sums, expected, rtol=1e-5, atol=1e-5)

    check()


def test_they_explain_the_predicted_probabilities() -> None:
    wide = wide_part(labels=2)
    documents = read(TEXTS)
    network = np.random.default_rng(0).dirichlet(np.ones(2), len(TEXTS)).astype("f4")
    weighed = wide.weigh(documents)
    together = wide.combine(network, wide.sum_logits(weighed))
    found = wide.contributions(weighed, np.ones(len(TEXTS), np.int64))
    sums = found.keep(np.zeros(len(documents.ids), bool), documents.row_offsets).rest
    odds = np.log(together[:, 1] / together[:, 0])
    alpha = wide.weights["mix"][0]
    assert np.allclose(odds - alpha * np.log(network[:, 1] / network[:, 0]), sums, atol=1e-4)


def test_without_character_ngrams_unknown_tokens_contribute_alike() -> None:
    wide = wide_part(config=WideConfig(bigram_bits=8, character_bits=None))
    weighed = wide.weigh(read(["unknown", "another"]))
    one, other = wide.contributions(weighed, np.zeros(2, np.int64)).tokens
    assert one == other != 0


def test_tokens_that_are_left_out_count_in_the_rest() -> None:
    whole = Contributions(
        tokens=np.array([1, 2, 3, 4], np.float32), rest=np.array([10, 20, 30], np.float32)
    )
    kept = whole.keep(np.array([True, False, False, True]), np.array([0, 2, 2, 4]))
    assert kept.tokens.tolist() == [1, 4]
    assert kept.rest.tolist() == [12, 20, 33]
    assert kept.rest.dtype == np.float32


def test_nothing_to_explain() -> None:
    wide = wide_part()
    found = wide.contributions(wide.weigh(read([])), np.empty(0, np.int64))
    assert len(found.tokens) == len(found.rest) == 0
