"""The model page shows every part of its report."""

import dataclasses

import numpy as np
import pytest

from model.metrics.evaluation import evaluate
from pipeline.reports.confusion_matrix import MATRIX_LABELS
from pipeline.reports.content import DataStatistics
from pipeline.reports.model_report import render_model_report
from pipeline.reports.shading import LEVELS
from tests.pipeline.reports import made_up
from tests.pipeline.reports.html_page import parse_page


def shown(**changes) -> str:
    return parse_page(render_model_report(made_up.model_report(**changes))).text


def test_the_page_shows_everything():
    text = shown()
    for expected in (
        "tickets/3",
        "trained on 8,000 documents, 2026-11-20 10:55 UTC",
        "Accuracy 90.0%",
        "Measured on 10 documents of test. Training did not use this split to choose anything. "
        "Training saw 2 texts of this split, so the metrics are slightly too high.",
        "Metrics",
        "Calibration",
        "Examples",
        "Training",
        "Data",
        "Provenance",
        "The largest class of train has 11 times as many documents as the smallest.",
        "test, linear baseline 10 70.0% 70.0% 0.500",
        "The linear baseline is TF-IDF (words 1-2) with logistic regression (C = 4); it took 1.2 s",
        "It was not tuned, because there is no validation split.",
        "billing 5 100% 80.0% 88.9%",  # label, documents, precision, recall, F1
        "billing praise 1 20.0%",  # the confusion
        "70.0% to 80.0% 10 80.0% 90.0%",  # a reliability bin
        "Rows read: 9,012. The vocabulary has 1,234 entries",
        "longest",
        "4,321",
        "3.1%",  # out of the vocabulary
        "3 documents of train repeat a text of that split.",
        "2 texts in both train and test.",
        "malformed_row 11 0.1% The row could not be parsed.",
        "tickets.jsonl , row 1,812",
        '{"id": "ticket-1812", "te',
        "limelight train --config tickets.yaml",
        "3.4 MB",
        "20261120T105512Z-train-3fa2b1",
        "text.max_tokens 200",
        "0.800 ± 0.141",  # the mean accuracy of the trials
        "true label: praise",
        "refund 80.0%",
    ):
        assert expected in text, expected


def test_documents_are_shaded_and_marked_as_correct_or_wrong():
    page = parse_page(render_model_report(made_up.model_report()))
    marks = page.all("mark")
    assert {mark["class"] for mark in marks} == {"a1", f"a{LEVELS}"}
    assert [mark["title"] for mark in marks if mark["class"] == f"a{LEVELS}"] == ["80.0%"] * 2
    judged = [article["class"] for article in page.all("article")]
    assert judged == ["document", "document wrong"]


def test_a_model_without_an_evaluation_is_shown_too():
    text = shown(
        evaluations={},
        history=[],
        trials=[],
        most_certain=[],
        least_certain=[],
        rejections=[],
        inputs=[],
        warnings=[],
        config={},
        command=None,
    )
    assert "No split was evaluated." in text
    assert "No epoch was recorded." in text
    assert "No documents to show." in text
    assert "No row was rejected." in text


def test_a_multilabel_model_has_no_confusion_matrix():
    evaluation = evaluate([[0.9, 0.2]], [[1, 0]], labels=made_up.LABELS, multilabel=True)
    text = shown(evaluations={"test": evaluation}, baseline=None)
    assert "Micro F1 100%" in text
    assert "Confusion matrix" not in text
    assert "Each label of each document counts as one prediction." in text
    assert "10.0% to 20.0% 1 20.0% 0%" in text


def test_the_official_score_is_shown_for_relations():
    labels = ("Other", "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)")
    evaluation = evaluate(np.eye(3), [0, 1, 2], labels=labels)
    assert "SemEval F1 100%" in shown(evaluations={"test": evaluation}, baseline=None)


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        (("train", "validation", "test"), "test"),
        (("train", "validation"), "validation"),
        (("corpus",), "corpus"),
        ((), None),
    ],
)
def test_the_test_split_is_preferred_then_validation(evaluations, expected):
    report = made_up.model_report(evaluations=dict.fromkeys(evaluations, made_up.evaluation()))
    assert report.measured_split == expected
    assert f"of {expected}" in report.measurement_note or expected is None
    assert ("also chose the epoch" in report.measurement_note) == (expected == "validation")


def test_many_labels_get_a_list_of_confusions_and_no_matrix():
    labels = tuple(f"label {number}" for number in range(MATRIX_LABELS + 1))
    evaluation = evaluate(np.eye(len(labels)), np.arange(len(labels)) // 2, labels=labels)
    text = shown(evaluations={"test": evaluation})
    assert "Confusion matrix" not in text
    assert "Most frequent confusions" in text


def test_statistics_are_read_as_prepare_writes_them():
    expected = made_up.statistics()
    written = {
        "labels": list(expected.labels),
        "vocabulary_ids": expected.vocabulary_ids,
        "splits": {
            name: {**dataclasses.asdict(split), "a later key": 1}
            for name, split in expected.splits.items()
        },
        "duplicates": {"within": {"train": 3}, "across": {"train and test": 2}},
        "rejected": {},
        "rows_repaired": 4,
        "warnings": [],
    }
    found = DataStatistics.from_json(written)
    assert found == dataclasses.replace(expected, labels=list(expected.labels))
