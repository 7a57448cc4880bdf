from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ResolvedTextConfig
from pipeline.corpora.preparing.dataset_statistics import (
    MISSING,
    QUANTILES,
    summarize_dataset,
)

TEXT = ResolvedTextConfig(max_tokens=40, vocabulary_size=8)


def counts_of(labels: dict[str, int], **changed: Any) -> dict[str, Any]:
    documents = sum(labels.values())
    return {
        "documents": documents,
        "labels": labels,
        "scripts": {"Latin": documents},
        "lengths": {"3": documents},
        "tokens": 3 * documents,
        "oov_tokens": 0,
        "truncated_documents": 0,
        "truncated_tokens": 0,
        **changed,
    }


def summary_of(
    text: ResolvedTextConfig = TEXT,
    *,
    labels: tuple[str, ...] = ("a", "b"),
    multilabel: bool = False,
    **splits: dict[str, Any],
) -> dict[str, Any]:
    """The summary, without the warnings of splits that have no document."""
    summary = summarize_dataset(
        {"splits": splits},
        labels=labels,
        vocabulary_ids=10,
        text=text,
        multilabel=multilabel,
    )
    left = [each for each in summary["warnings"] if each not in MISSING.values()]
    return {**summary, "warnings": left}


def test_a_split_without_a_document_is_warned_of() -> None:
    counts = {"splits": {"train": counts_of({"a": 50, "b": 50})}}
    for missing in (["validation", "test"], ["test"], []):
        summary = summarize_dataset(
            counts, labels=("a", "b"), vocabulary_ids=10, text=TEXT, multilabel=False
        )
        assert summary["warnings"] == [MISSING[split] for split in missing]
        counts["splits"][(missing or ["test"])[0]] = counts_of({"a": 5, "b": 5})


@given(st.lists(st.integers(0, 60), min_size=1, max_size=200))
def test_quantiles_equal_those_of_numpy(lengths: list[int]) -> None:
    histogram = {str(length): count for length, count in Counter(lengths).items()}
    counts = counts_of({"a": len(lengths)}, lengths=histogram)
    found = summary_of(train=counts)["splits"]["train"]["length_quantiles"]
    expected = np.quantile(lengths, QUANTILES, method="lower").tolist()
    assert found == {f"{q:g}": length for q, length in zip(QUANTILES, expected, strict=True)}


def test_a_summary_has_the_counts_and_their_ratios() -> None:
    counts = {
        "splits": {
            "test": counts_of({"a": 2}, oov_tokens=3),
            "train": counts_of(
                {"b": 3, "a": 2}, oov_tokens=1, truncated_documents=1, truncated_tokens=7
            ),
        },
        "duplicates": {"within": {"train": 1}, "across": {"train and test": 1200}},
        "rejected": {"empty_text": 1},
        "files": {"a": {"rows_repaired": 1}, "b": {"rows_read": 3, "rows_repaired": 1}},
    }
    summary = summarize_dataset(
        counts, labels=("a", "b"), vocabulary_ids=10, text=TEXT, multilabel=False
    )
    assert list(summary["splits"]) == ["train", "test"]
    assert summary["splits"]["train"]["labels"] == {"a": 2, "b": 3}
    assert summary["splits"]["train"]["truncated_documents"] == 1
    assert summary["splits"]["train"]["truncated_tokens"] == 7
    assert summary["splits"]["test"]["labels"] == {"a": 2, "b": 0}
    assert summary["splits"]["test"]["oov_rate"] == pytest.approx(0.5)
    assert summary["labels"] == ["a", "b"]
    assert summary["vocabulary_ids"] == 10
    assert summary["duplicates"] == counts["duplicates"]
    assert summary["rejected"] == {"empty_text": 1}
    assert summary["rows_repaired"] == 2
    assert summary["vocabulary_coverage"] == pytest.approx(1 - 1 / 15)
    assert summary["splits"]["train"]["scripts"] == {"Latin": 5}
    assert summary["warnings"] == [
        "test has no document with label b. Add some, or, if a hash chooses the split, try "
        "corpus.splits.stratify=true.",
        MISSING["validation"],
        "2 of 2 labels have fewer than 10 documents in train: a (2), b (3). Add documents of them, "
        "or try training.class_weights=balanced.",
        "20% of the documents of train are cut at text.max_tokens=40. Try text.max_tokens=80 or "
        "text.cut=head+tail, which keeps both ends of a document.",
        "7% of the tokens of train and 50% of test are unknown. Try text.vocabulary_size=16 or "
        "text.fold_digits=true.",
        "Splits share texts (1,200 in both train and test), which makes scores too high. Without "
        "corpus.columns.split, corpus.columns.group and the split of inputs, a hash of the text "
        "keeps copies in one split.",
    ]


MAJORITY = "91% of the documents of train have the label a, so that accuracy says little. Try "
IMBALANCE = "The largest class of train has 10 times as many documents as the smallest. Try "
CUT = "are cut at text.max_tokens=40. Try text.max_tokens=80"
WHOLE = counts_of({"a": 50, "b": 50})


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ({"train": counts_of({"a": 99, "b": 11})}, []),
        ({"train": counts_of({"a": 100, "b": 10})}, [MAJORITY]),
        ({"train": counts_of({"a": 50, "b": 9})}, ["1 of 2 labels have fewer than 10 "]),
        ({"train": WHOLE, "test": counts_of({"a": 500, "b": 5})}, []),
        ({"train": counts_of({"a": 50})}, ["train has no document with label b.", "100% of the "]),
        ({"train": WHOLE, "validation": counts_of({"b": 5})}, ["validation has no document with "]),
        ({"train": counts_of({"a": 50, "b": 50}, truncated_documents=10)}, []),
        (
            {"test": counts_of({"a": 5, "b": 5}, truncated_documents=2)},
            [f"20% of the documents of test {CUT} or text.cut=head+tail, which keeps "],
        ),
        (
            {
                "train": counts_of({"a": 50, "b": 50}, truncated_documents=30),
                "validation": counts_of({"a": 5, "b": 5}, truncated_documents=2),
                "test": counts_of({"a": 5, "b": 5}, truncated_documents=4),
            },
            [f"30% of the documents of train, 20% of validation and 40% of test {CUT}"],
        ),
        ({"train": WHOLE, "validation": counts_of({"a": 5, "b": 5}, oov_tokens=1)}, []),
        (
            {"train": WHOLE, "validation": counts_of({"a": 5, "b": 5}, oov_tokens=2)},
            ["7% of the tokens of validation are unknown. Try text.vocabulary_size=16"],
        ),
    ],
)
def test_properties_that_may_harm_a_model_are_warned_of(
    splits: dict[str, Any], expected: list[str]
) -> None:
    found = summary_of(**splits)["warnings"]
    for sentence, start in zip(found, expected, strict=True):
        assert sentence.startswith(start)


def test_labels_of_very_different_sizes_without_a_majority_are_warned_of() -> None:
    counts = counts_of({"a": 500, "b": 450, "c": 50})
    [sentence] = summary_of(labels=("a", "b", "c"), train=counts)["warnings"]
    assert sentence.startswith(IMBALANCE)


def test_a_label_on_most_documents_is_no_majority_where_documents_have_several() -> None:
    counts = counts_of({"a": 100, "b": 10})
    [sentence] = summary_of(multilabel=True, train=counts)["warnings"]
    assert sentence.startswith(IMBALANCE)


def test_a_split_with_lists_of_labels_cannot_be_stratified() -> None:
    found = summary_of(multilabel=True, train=WHOLE, test=counts_of({"a": 5}))["warnings"]
    assert found == ["test has no document with label b. Add some."]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (ResolvedTextConfig(max_tokens=8, fold_digits=True), "Add text to train that has them."),
        (ResolvedTextConfig(max_tokens=8), "Try text.fold_digits=true."),
        (
            ResolvedTextConfig(max_tokens=8, lowercase=False, min_frequency=3),
            "Try text.min_frequency=1 or text.lowercase=true or text.fold_digits=true.",
        ),
        (
            ResolvedTextConfig(max_tokens=8, vocabulary_size=7, fold_digits=True),
            "Try text.vocabulary_size=14.",
        ),
    ],
)
def test_what_would_make_fewer_tokens_unknown(text: ResolvedTextConfig, advice: str) -> None:
    test = counts_of({"a": 5, "b": 5}, oov_tokens=3)
    assert summary_of(text, train=WHOLE, test=test)["warnings"] == [
        f"10% of the tokens of test are unknown. {advice}"
    ]


def test_the_rarest_labels_are_shown() -> None:
    counts = {f"l{number}": number for number in range(1, 13)}
    summary = summary_of(labels=tuple(counts), train=counts_of(counts))
    assert summary["warnings"][-1].startswith(
        "9 of 12 labels have fewer than 10 documents in train, such as l1 (1), l2 (2), l3 (3), "
        "l4 (4), l5 (5). Add "
    )


def test_a_split_without_labels_can_be_summarized() -> None:
    summary = summary_of(train={**counts_of({"a": 1}), "labels": {}})
    assert summary["splits"]["train"]["labels"] == {"a": 0, "b": 0}


def test_a_summary_tells_how_many_documents_have_only_soft_labels() -> None:
    summary = summary_of(
        train=counts_of({"a": 2, "b": 1}, documents=5, soft_labels=4, without_label=2),
        test=counts_of({}, documents=1, lengths={"3": 1}, soft_labels=1, without_label=1),
    )
    assert summary["splits"]["train"]["soft_labels"] == 4
    assert summary["splits"]["train"]["without_label"] == 2
    assert not [each for each in summary["warnings"] if "has no document" in each]
