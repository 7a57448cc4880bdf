import pytest

from model.config import ConfigError
from pipeline.corpora.preparing.labels import count_labels, index_labels
from pipeline.corpora.reading.counts import add_counts
from tests.pipeline.batches import make_documents


def test_labels_are_counted_by_split() -> None:
    documents = make_documents(
        {"split": "train", "label": "b", "group": "x"},
        {"split": "train", "label": "a", "group": "x"},
        {"split": "train", "label": "b"},
        {"split": "train", "label": None},
        {"split": "test", "label": "c"},
    )
    assert count_labels(documents, multilabel=False) == {
        "documents": {"train": 4, "test": 1},
        "labels": {"train": {"b": 2, "a": 1}, "test": {"c": 1}},
        "grouped": 2,
    }


def test_each_of_several_labels_is_counted() -> None:
    documents = make_documents(
        {"split": "train", "labels": ["a", "b"]},
        {"split": "train", "labels": []},
        {"split": "train", "labels": None},
        {"split": "test", "labels": ["b"]},
    )
    assert count_labels(documents, multilabel=True) == {
        "documents": {"train": 3, "test": 1},
        "labels": {"train": {"a": 1, "b": 1}, "test": {"b": 1}},
        "grouped": 0,
    }


def test_a_label_that_only_a_teacher_gives_is_counted() -> None:
    soft_labels = [{"label": "c", "probability": 0.0}, {"label": "a", "probability": 1.0}]
    in_order = [{"label": None, "probability": 1.0}]
    documents = make_documents(
        {"split": "train", "label": "a", "soft_labels": soft_labels},
        {"split": "train", "soft_labels": soft_labels},
        {"split": "train", "label": "b", "soft_labels": in_order},
    )
    counts = count_labels(documents, multilabel=False)
    assert counts["labels"] == {"train": {"a": 3, "b": 1, "c": 2}}
    assert index_labels(counts, where="corpus") == ("a", "b", "c")


def test_labels_are_those_of_the_training_split_in_order_of_code_points() -> None:
    counts = {
        "documents": {"train": 3, "test": 1},
        "labels": {"train": {"b": 1, "é": 1, "B": 1}, "test": {"a": 1}},
    }
    assert index_labels(counts, where="corpus") == ("B", "b", "é")


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [{"split": "train", "label": label} for label in "zabca"]
    parts = [count_labels(make_documents(row), multilabel=False) for row in rows]
    assert index_labels(add_counts(parts), where="") == ("a", "b", "c", "z")
    assert index_labels(add_counts(parts[::-1]), where="") == ("a", "b", "c", "z")


def test_a_label_with_a_line_feed_is_left_out() -> None:
    counts = {"documents": {"train": 3}, "labels": {"train": {"a\nb": 1, "a\rb": 1, "c": 1}}}
    assert index_labels(counts, where="") == ("a\rb", "c")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "expected documents in the training split, got none"),
        (
            {"documents": {"test": 1200}, "labels": {"test": {"a": 1200}}},
            "expected documents in the training split, got 1,200 in other splits",
        ),
        (
            {"documents": {"train": 2}, "labels": {"train": {}}},
            "expected at least 2 labels in the training split, got none",
        ),
        (
            {"documents": {"train": 2, "test": 1}, "labels": {"train": {"a": 2}, "test": {"b": 1}}},
            "expected at least 2 labels in the training split, got only 'a'",
        ),
    ],
)
def test_a_training_split_without_documents_or_labels_is_an_error(
    counts: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        index_labels(counts, where="my corpus")
    assert str(raised.value).startswith(f"my corpus: {message}. Check ")
