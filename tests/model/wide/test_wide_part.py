"""The wide part: its formula, its independence of batches, and the mix with the network."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import Head, TextConfig, WideConfig
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from model.wide.documents import WholeDocuments, read_whole_documents
from model.wide.wide_part import WidePart, combine, wide_shapes
from tests.model.wide.wide_reference import reference_logits

TOKENS = ("the", "film", "good", "很", "好", "naïve", "x" * 80)
VOCABULARY = Vocabulary(TOKENS, oov_buckets=1)
SIZES = WideConfig(bigram_bits=8, character_bits=8)
TEXTS = [
    "The film, the FILM the good film!",
    "很好很好 unknown Unknown words",
    "x" * 80 + " " + "x" * 79 + "y 👩‍🚀 naïve",
    "a",
]


def wide_part(*, labels: int = 3, head: Head = "softmax", config: WideConfig = SIZES) -> WidePart:
    random = np.random.default_rng(0)
    shapes = wide_shapes(config, ids=VOCABULARY.size, labels=labels, head=head)
    weights = {name: random.normal(0, 1, shape).astype("f4") for name, shape in shapes.items()}
    return WidePart({**weights, "mix": np.array([0.7, 1.2], "f4")}, VOCABULARY, head=head)


def read(texts: list[str]) -> WholeDocuments:
    tokens = Tokenizer(TextConfig()).tokenize(pa.array(texts, pa.string()))
    return read_whole_documents(tokens, VOCABULARY)


def tokens_of(text: str) -> list[str]:
    [tokens] = Tokenizer(TextConfig()).tokenize(pa.array([text])).folded().to_pylist()
    return list(tokens)


IDS = {token: VOCABULARY.first_token_id + index for index, token in enumerate(TOKENS)}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_logits_follow_the_formula(texts: list[str]) -> None:
    texts = [*TEXTS, *texts]
    wide = wide_part()
    expected = [reference_logits(tokens_of(text), IDS, wide.weights) for text in texts]
    assert np.allclose(wide.logits(read(texts)), expected, atol=1e-4)


def test_a_document_does_not_depend_on_those_beside_it() -> None:
    wide = wide_part()
    alone = np.concatenate([wide.logits(read([text])) for text in TEXTS])
    assert np.array_equal(wide.logits(read(TEXTS)), alone)


def test_without_character_ngrams_all_unknown_tokens_weigh_the_same() -> None:
    wide = wide_part(config=WideConfig(bigram_bits=8, character_bits=None))
    one, other = wide.logits(read(["unknown", "another"]))
    assert np.array_equal(one, other)


def test_an_empty_document_has_the_bias_alone() -> None:
    wide = wide_part()
    assert np.array_equal(wide.logits(read([""])), wide.weights["bias"][None])


def test_texts_of_unknown_tokens_must_be_complete() -> None:
    documents = WholeDocuments(
        ids=np.array([1, 2], np.int32),
        row_offsets=np.array([0, 2]),
        unknown_bytes=np.empty(0, np.uint8),
        unknown_offsets=np.zeros(1, np.int64),
    )
    with pytest.raises(ValueError, match="each of 1 unknown tokens, got 0"):
        wide_part().logits(documents)


@pytest.mark.parametrize(
    ("head", "labels", "columns"),
    [("softmax", 3, 3), ("softmax", 2, 1), ("sigmoid", 2, 1), ("multilabel", 2, 2)],
)
def test_two_labels_that_exclude_each_other_have_one_column(
    head: Head, labels: int, columns: int
) -> None:
    logits = wide_part(labels=labels, head=head).logits(read(TEXTS))
    assert logits.shape == (len(TEXTS), columns)


def softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True)


def test_mixing_adds_log_probabilities_and_logits() -> None:
    random = np.random.default_rng(1)
    network, logits = random.normal(0, 2, (5, 3)), random.normal(0, 2, (5, 3))
    got = combine(softmax(network), logits, mix=np.array([0.5, 2.0]), exclusive=True)
    assert np.allclose(got, softmax(0.5 * network + 2 * logits))


def test_of_two_labels_the_second_gets_the_logits() -> None:
    network, logits = np.array([[0.0, 1.0]]), np.array([[3.0]])
    got = combine(softmax(network), logits, mix=np.ones(2), exclusive=True)
    assert np.allclose(got, softmax(network + np.array([[0.0, 3.0]])))


def test_independent_labels_are_mixed_one_by_one() -> None:
    scores, logits = np.array([[-1.0, 2.0]]), np.array([[0.5, -3.0]])
    got = combine(1 / (1 + np.exp(-scores)), logits, mix=np.array([2.0, 1.0]), exclusive=False)
    assert np.allclose(got, 1 / (1 + np.exp(-(2 * scores + logits))))


@pytest.mark.parametrize("exclusive", [True, False])
def test_certain_networks_give_finite_probabilities(*, exclusive: bool) -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    got = combine(certain, np.full((2, 2), 1e4), mix=np.ones(2), exclusive=exclusive)
    assert np.isfinite(got).all()
