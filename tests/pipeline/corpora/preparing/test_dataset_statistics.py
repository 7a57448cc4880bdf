from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.preparing.dataset_statistics import (
    QUANTILES,
    find_warnings,
    summarize_dataset,
)


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


def summary_of(**splits: dict[str, Any]) -> dict[str, Any]:
    return summarize_dataset({"splits": splits}, labels=("a", "b"), vocabulary_ids=10)


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
    summary = summarize_dataset(counts, labels=("a", "b"), vocabulary_ids=10)
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
        "20% of the documents of train are cut at max_tokens.",
        "test has no document with label b.",
        "50% of the tokens of test are unknown.",
        "1,200 texts are in both train and test.",
        "In 2 rows, bytes that could not be decoded were replaced by U+FFFD.",
    ]


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ({"train": counts_of({"a": 9, "b": 1})}, []),
        (
            {"train": counts_of({"a": 20, "b": 2})},
            ["The largest class of train has 10 times as many documents as the smallest."],
        ),
        ({"train": counts_of({"a": 5, "b": 5}), "test": counts_of({"a": 50, "b": 5})}, []),
        ({"train": counts_of({"a": 5})}, ["train has no document with label b."]),
        ({"train": counts_of({"a": 5, "b": 5}, truncated_documents=1)}, []),
        (
            {"test": counts_of({"a": 5, "b": 5}, truncated_documents=2)},
            ["20% of the documents of test are cut at max_tokens."],
        ),
    ],
)
def test_properties_that_may_harm_a_model_are_warned_of(
    splits: dict[str, Any], expected: list[str]
) -> None:
    assert find_warnings(summary_of(**splits)) == expected


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
    assert summary["warnings"] == []
