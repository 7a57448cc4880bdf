"""The features of the baseline are those of scikit-learn's vectorizers."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from model.training.baseline import features
from model.training.baseline.features import BaselineFeatures, make_features
from model.training.examples import Examples
from tests.model.training.baseline.documents import (
    LABELS,
    VOCABULARY,
    Documents,
    encode,
    make_documents,
)

TRAIN, TEST = make_documents(60, seed=1), make_documents(20, seed=2)


def words_and_pairs() -> TfidfVectorizer:
    return TfidfVectorizer(
        tokenizer=str.split,
        token_pattern=None,
        ngram_range=(1, 2),
        lowercase=False,
        sublinear_tf=True,
    )


def runs_of_characters() -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), lowercase=False, sublinear_tf=True
    )


def featured(*, train: Examples | None = None) -> BaselineFeatures:
    splits = {"train": encode(TRAIN) if train is None else train, "test": encode(TEST)}
    return make_features(splits, vocabulary=VOCABULARY, cut="head+tail", labels=len(LABELS))


def products(left: sparse.csr_matrix, right: sparse.csr_matrix) -> np.ndarray:
    """The products of all rows, which do not depend on the order of the columns."""
    return (left @ right.T).toarray()


def test_words_and_pairs_are_those_of_whole_documents() -> None:
    made = featured().words
    vectorizer = words_and_pairs().fit(TRAIN.texts)
    train, test = vectorizer.transform(TRAIN.texts), vectorizer.transform(TEST.texts)
    assert made["train"].shape == train.shape
    np.testing.assert_allclose(
        products(made["train"], made["train"]), products(train, train), atol=1e-5
    )
    np.testing.assert_allclose(
        products(made["test"], made["train"]), products(test, train), atol=1e-5
    )


def test_runs_of_characters_are_those_within_words() -> None:
    made = featured()
    assert made.both is not None
    width = made.words["train"].shape[1]
    vectorizer = runs_of_characters().fit(TRAIN.texts)
    train, test = vectorizer.transform(TRAIN.texts), vectorizer.transform(TEST.texts)
    runs = {split: each[:, width:] for split, each in made.both.items()}
    assert runs["train"].shape == train.shape
    np.testing.assert_allclose(
        products(runs["test"], runs["train"]), products(test, train), atol=1e-5
    )


@pytest.mark.parametrize(
    ("tokens", "characters"),
    [
        (["short", "words"], True),
        (["short", "words"] * 30, False),
        (["words-without-spaces-between-them"] * 60, True),
        (["退", "款"], False),
    ],
)
def test_runs_of_characters_are_for_few_or_long_words(tokens: list[str], characters: bool) -> None:
    train = encode(Documents(tokens=[tokens] * 4, labels=np.array([0, 1, 0, 1])))
    assert (featured(train=train).both is not None) == characters


def test_a_large_corpus_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MAX_DOCUMENTS", 30)
    made = featured()
    assert made.words["train"].shape[0] == made.examples["train"].rows == 30
    assert made.words["test"].shape[0] == 20
    assert made.notes == ["It read 30 of the 60 documents of train."]
    np.testing.assert_array_equal(made.examples["train"].labels, TRAIN.labels[::2])


def test_long_documents_are_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MAX_RUN_CHARACTERS", 100)
    assert 2 <= featured().examples["train"].rows <= 10


def test_the_most_frequent_terms_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MAX_WEIGHTS", 2 * len(LABELS) * 10)
    made = featured()
    assert made.words["train"].shape[1] == 10
    assert made.both is not None
    assert made.both["train"].shape[1] == 20
    [note] = made.notes
    assert note.startswith("It kept the 10 most frequent of ")


def test_examples_without_the_text_of_unknown_tokens_have_one_word_for_them() -> None:
    whole = encode(TRAIN)
    bare = Examples(
        ids=whole.ids,
        row_offsets=whole.row_offsets,
        labels=whole.labels,
        weights=whole.weights,
    )
    made = featured(train=bare)
    assert made.words["train"].shape[1] < featured().words["train"].shape[1]
