"""The baseline equals a plain pipeline of scikit-learn, and says what it left out."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from model.config import TextConfig, TrainingConfig
from model.text.tokenizer import Tokenizer
from model.training.baseline import features, logistic_regression, tuning
from model.training.baseline.linear_baseline import (
    BaselineSkipped,
    LinearBaseline,
    fit_linear_baseline,
)
from model.training.examples import Examples
from model.training.targets import NO_LABEL
from tests.model.training.baseline.documents import (
    LABELS,
    VOCABULARY,
    Documents,
    encode,
    make_documents,
)
from tests.model.training.baseline.test_features import runs_of_characters, words_and_pairs

TRAIN = make_documents(300, seed=1)
VALIDATION, TEST = make_documents(100, seed=2), make_documents(100, seed=3)


def examples() -> dict[str, Examples]:
    return {
        "train": encode(TRAIN),
        "validation": encode(VALIDATION),
        "test": encode(TEST),
    }


def fit(
    splits: dict[str, Examples], *, labels: tuple[str, ...] = LABELS, **training: object
) -> LinearBaseline:
    return fit_linear_baseline(
        splits,
        vocabulary=VOCABULARY,
        cut="head+tail",
        labels=labels,
        config=TrainingConfig(**training),  # type: ignore[arg-type]
    )


def test_it_equals_a_pipeline_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "TOLERANCE", 1e-4)
    fitted = fit(examples())
    union = make_union(words_and_pairs(), runs_of_characters())
    vectorizer = union if fitted.characters else words_and_pairs()
    plain = LogisticRegression(C=fitted.strength, tol=1e-8, max_iter=1_000)
    plain.fit(vectorizer.fit_transform(TRAIN.texts), TRAIN.labels)
    right = plain.predict(vectorizer.transform(TEST.texts)) == TEST.labels
    np.testing.assert_array_equal(fitted.right["test"], right)
    assert fitted.evaluations["test"]["accuracy"] == right.mean()
    assert 0.5 < right.mean() < 1
    probabilities = plain.predict_proba(vectorizer.transform(VALIDATION.texts))
    loss = -np.log(probabilities[np.arange(100), VALIDATION.labels]).mean()
    assert fitted.evaluations["validation"]["loss"] == pytest.approx(loss, abs=1e-3)


@pytest.mark.parametrize("monitor", ["accuracy", "macro_f1", "loss"])
def test_c_and_terms_are_the_best_on_validation(monitor: str) -> None:
    fitted = fit(examples(), monitor=monitor)
    assert fitted.notes == []
    assert fitted.strength in tuning.STRENGTHS
    fitting = tuning.BaselineFitting(
        features.make_features(
            examples(), vocabulary=VOCABULARY, cut="head+tail", labels=len(LABELS)
        ),
        labels=LABELS,
        config=TrainingConfig(monitor=monitor),  # type: ignore[arg-type]
    )
    untuned = fitting.evaluate(fitting.predict(fitting.untuned(), "validation"), "validation")
    sign = -1 if monitor == "loss" else 1
    chosen = sign * fitted.evaluations["validation"][monitor]  # type: ignore[literal-required]
    assert chosen >= sign * untuned[monitor]  # type: ignore[literal-required]


def test_the_same_documents_give_the_same_baseline() -> None:
    one, two = (dataclasses.replace(fit(examples()), seconds=0) for _ in range(2))
    assert one.evaluations == two.evaluations
    assert (one.strength, one.characters) == (two.strength, two.characters)


def test_two_labels_are_one_regression() -> None:
    labels = LABELS[:2]
    splits = {
        split: encode(make_documents(100, seed=seed, labels=2))
        for seed, split in enumerate(("train", "validation"))
    }
    fitted = fit(splits, labels=labels)
    assert list(fitted.evaluations) == ["validation"]
    assert fitted.evaluations["validation"]["accuracy"] > 0.7


def test_each_label_of_many_has_a_regression() -> None:
    splits = {
        split: dataclasses.replace(each, labels=np.eye(4, dtype=np.int64)[each.labels])
        for split, each in examples().items()
    }
    for each in splits.values():
        each.labels[:, 3] = 1  # the same for all documents
        each.labels[:, 1] |= each.labels[:, 0]
    fitted = fit(splits, labels=(*LABELS, "always"))
    measured = fitted.evaluations["test"]
    assert "micro_f1" in measured
    assert measured["by_label"]["always"]["f1"] == 1
    assert measured["accuracy"] == fitted.right["test"].mean() > 0.5


def test_a_label_without_a_training_document_is_never_predicted() -> None:
    fitted = fit(examples(), labels=(*LABELS, "absent"))
    assert [row[3] for row in fitted.evaluations["test"]["confusion"]] == [0, 0, 0, 0]


def test_weights_of_documents_count() -> None:
    splits = examples()
    weights = np.where(TRAIN.labels == 0, 0, 1).astype(np.float32)
    splits["train"] = dataclasses.replace(splits["train"], weights=weights)
    fitted = fit(splits)
    assert sum(row[0] for row in fitted.evaluations["test"]["confusion"]) == 0


def test_class_weights_count() -> None:
    splits = examples()
    rare = np.where((TRAIN.labels == 0) & (np.arange(300) % 10 > 0), 1, TRAIN.labels)
    splits["train"] = encode(TRAIN, labels=rare)
    plain, balanced = (fit(splits, class_weights=how) for how in ("none", "balanced"))
    predicted = [
        sum(row[0] for row in each.evaluations["test"]["confusion"]) for each in (plain, balanced)
    ]
    assert predicted[0] < predicted[1]


def test_a_document_without_a_label_has_the_most_likely_soft_label() -> None:
    splits = examples()
    soft = np.full((300, 3), 0.2, np.float32)
    soft[np.arange(300), TRAIN.labels] = 0.6
    soft[:100] = np.nan
    labels = np.where(np.arange(300) < 100, TRAIN.labels, NO_LABEL)
    splits["train"] = dataclasses.replace(splits["train"], labels=labels, soft_labels=soft)
    assert fit(splits).evaluations == fit(examples()).evaluations


def test_without_validation_nothing_is_tuned() -> None:
    splits = examples()
    del splits["validation"]
    fitted = fit(splits)
    assert fitted.strength == 4
    assert fitted.characters
    assert fitted.notes == ["It was not tuned, because there is no validation split."]


def test_products_bound_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "MAX_PRODUCTS", 10_000)
    monkeypatch.setattr(tuning, "MAX_TUNING_PRODUCTS", 5_000)
    fitted = fit(examples())
    assert [note.split(" training")[0].rsplit(" ", 1)[0] for note in fitted.notes] == [
        "It was fitted to",
        "It was tuned with",
    ]
    assert fitted.evaluations["test"]["accuracy"] > 0.4


@pytest.mark.parametrize(
    ("labels", "weights", "kept", "reason"),
    [
        (TRAIN.labels, 1, ("train",), "neither a validation nor a test split"),
        (np.zeros(300, np.int64), 1, ("train", "test"), "have the same label"),
        (np.ones((300, 3), np.int64), 1, ("train", "test"), "have the same label"),
        (TRAIN.labels, 0, ("train", "test"), "no training document has a weight above 0"),
    ],
)
def test_what_allows_no_baseline_is_said(
    labels: np.ndarray, weights: int, kept: tuple[str, ...], reason: str
) -> None:
    splits = {split: each for split, each in examples().items() if split in kept}
    splits["train"] = dataclasses.replace(
        splits["train"], labels=labels, weights=np.full(300, weights, np.float32)
    )
    with pytest.raises(BaselineSkipped, match=reason):
        fit(splits)


@pytest.mark.slow
def test_on_tweets_it_is_as_good_as_a_pipeline_of_scikit_learn(corpora: Path) -> None:
    with (corpora / "tweet_sentiment" / "train.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["text"].strip()]
    tokens = Tokenizer(TextConfig()).tokenize(pa.array([row["text"] for row in rows])).folded()
    labels = ("negative", "neutral", "positive")
    truth = np.array([labels.index(row["sentiment"]) for row in rows])
    parts = {"train": slice(5_000, None), "validation": slice(2_500), "test": slice(2_500, 5_000)}
    documents = {
        split: Documents(tokens=tokens[part].to_pylist(), labels=truth[part])
        for split, part in parts.items()
    }
    fitted = fit({split: encode(each) for split, each in documents.items()}, labels=labels)
    assert fitted.characters
    vectorizer = make_union(words_and_pairs(), runs_of_characters())
    plain = LogisticRegression(C=fitted.strength, max_iter=1_000)
    plain.fit(vectorizer.fit_transform(documents["train"].texts), documents["train"].labels)
    for split, measured in fitted.evaluations.items():
        predicted = plain.predict(vectorizer.transform(documents[split].texts))
        right = predicted == documents[split].labels
        assert measured["accuracy"] == pytest.approx(right.mean(), abs=0.004)
        assert (fitted.right[split] == right).mean() > 0.98
