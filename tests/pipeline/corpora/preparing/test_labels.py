import pytest

from model.config import ConfigError
from pipeline.corpora.preparing.labels import (
    count_labels,
    find_label_notes,
    find_variants,
    index_labels,
)
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
        "null_ids": {},
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
        "null_ids": {},
    }


def test_ids_that_look_like_no_value_are_counted() -> None:
    ids = ("\\N", "1", "\\N", "nan", "nano")
    documents = make_documents(*({"document_id": each, "split": "train"} for each in ids))
    assert count_labels(documents, multilabel=False)["null_ids"] == {"\\N": 2, "nan": 1}


COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def test_labels_that_differ_in_form_alone_are_noted_with_their_counts() -> None:
    counts = {"Sports": 60, "sports": 20, "SPORTS": 20, "news": 9, COMPOSED: 2, DECOMPOSED: 1}
    [note] = find_label_notes(counts, {})
    assert note == (
        "5 labels differ from one another only in case, blanks or Unicode form, and each is a "
        "class of its own: 'cafe\\u0301' (1), 'café' (2); 'SPORTS' (20), 'Sports' (60), 'sports' "
        "(20). Write each class in one way in the corpus."
    )


def test_a_note_on_many_variants_is_short() -> None:
    labels = {name: 1 for number in range(15) for name in (f"a{number:02}", f"A{number:02}")}
    [note] = find_label_notes(labels, {})
    assert note.startswith("30 labels differ")
    assert note.endswith(
        "'A11' (1), 'a11' (1); and 3 more groups. Write each class in one way in the corpus."
    )


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        (["a", "b"], []),
        (["a b", "a  b", "ab"], [["a  b", "a b"]]),
        (["Straße", "STRASSE"], [["STRASSE", "Straße"]]),
        (["\uff21", "A"], [["A", "\uff21"]]),
        (["soft\u00adware", "software"], [["software", "soft\u00adware"]]),
        ([], []),
    ],
)
def test_variants_of_labels(labels: list[str], groups: list[list[str]]) -> None:
    assert find_variants(labels) == groups


def test_labels_and_ids_that_look_like_no_value_are_noted_with_the_cure() -> None:
    notes = [*find_label_notes({"pos": 4, "\\N": 3, "nan": 2}, {"NULL": 7})]
    assert notes == [
        "Labels that look like no value are classes: '\\N' (3), 'nan' (2). If they are none, "
        "write into the input: null_values: ['\\N', 'nan'].",
        "Ids look like no value: 'NULL' (7). If they are none, write into the input: "
        "null_values: ['NULL'].",
    ]
    assert not [*find_label_notes({"pos": 4, "neg": 3}, {})]


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


def test_too_many_labels_are_refused_before_a_model_is_trained() -> None:
    counts = {"documents": {"train": 1}, "labels": {"train": {str(n): 1 for n in range(20_001)}}}
    with pytest.raises(ConfigError, match=r"expected at most 20,000 labels .* got 20,001\. Check"):
        index_labels(counts, where="corpus")


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [{"split": "train", "label": label} for label in "zabca"]
    parts = [count_labels(make_documents(row), multilabel=False) for row in rows]
    assert index_labels(add_counts(parts), where="") == ("a", "b", "c", "z")
    assert index_labels(add_counts(parts[::-1]), where="") == ("a", "b", "c", "z")


def test_a_label_with_a_line_end_is_no_class_but_does_not_vanish() -> None:
    counts = {"documents": {"train": 3}, "labels": {"train": {"a\nb": 1, "a\rb": 1, "c": 1}}}
    assert index_labels(counts, where="") == ("a\rb", "c")
    counts["labels"]["train"]["a\nb"] = 2
    message = r"^corpus: expected labels without a line end, .* got 'a\\nb' \(2 documents\)\. Write"
    with pytest.raises(ConfigError, match=message):
        index_labels(counts, where="corpus")


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
