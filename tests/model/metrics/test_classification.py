"""The metrics against loops that follow the definitions, and against published results."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.metrics.classification import (
    accuracy,
    are_directed_relations,
    calibration,
    confusion_matrix,
    evaluate,
    evaluate_multilabel,
    log_loss,
    macro_f1,
    multilabel_f1,
    precision_recall_f1,
    semeval_macro_f1,
)

pairs = st.integers(1, 5).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(
            st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)),
            min_size=1,
            max_size=40,
        ),
    )
)


def f1_by_hand(truth: list[int], predicted: list[int], label: int) -> tuple[float, float, float]:
    hits = sum(t == p == label for t, p in zip(truth, predicted, strict=True))
    claimed, real = predicted.count(label), truth.count(label)
    precision = hits / claimed if claimed else 0.0
    recall = hits / real if real else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


@given(pairs)
def test_rates_equal_their_definitions(case):
    classes, answers = case
    truth, predicted = [t for t, _ in answers], [p for _, p in answers]
    confusion = confusion_matrix(truth, predicted, classes=classes)

    for i in range(classes):
        for j in range(classes):
            assert confusion[i, j] == answers.count((i, j))
    assert accuracy(confusion) == pytest.approx(np.mean([t == p for t, p in answers]))
    by_hand = [f1_by_hand(truth, predicted, label) for label in range(classes)]
    np.testing.assert_allclose(np.array(precision_recall_f1(confusion)).T, by_hand)
    occurring = sorted({*truth, *predicted})
    assert macro_f1(confusion) == pytest.approx(np.mean([by_hand[i][2] for i in occurring]))


def test_a_worked_example():
    # Rows: true class; 0 is found 3 of 4 times and claimed 4 times.
    confusion = np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    precision, recall, f1 = precision_recall_f1(confusion)
    np.testing.assert_allclose(precision, [3 / 4, 1 / 2, 0])
    np.testing.assert_allclose(recall, [3 / 4, 1 / 2, 0])
    np.testing.assert_allclose(f1, [3 / 4, 1 / 2, 0])
    assert accuracy(confusion) == 4 / 6
    assert macro_f1(confusion) == 5 / 8  # the third class occurs nowhere and does not count
    assert macro_f1(np.zeros((2, 2), int)) == 0
    assert accuracy(np.zeros((2, 2), int)) == 0


def test_log_loss_is_the_mean_surprise_and_stays_finite():
    probabilities = [[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]]
    expected = -(math.log(0.5) + math.log(0.1) + math.log(1.0)) / 3
    assert log_loss(probabilities, [0, 1, 0]) == pytest.approx(expected)
    assert log_loss([[1.0, 0.0]], [1]) == pytest.approx(-math.log(1e-7))


def ece_by_hand(confidences: list[float], right: list[bool], bins: int) -> float:
    total = 0.0
    for m in range(1, bins + 1):
        inside = [
            i
            for i, c in enumerate(confidences)
            if (m - 1) / bins < c <= m / bins or (m == 1 and c == 0)
        ]
        if inside:
            share = sum(right[i] for i in inside) / len(inside)
            mean = sum(confidences[i] for i in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(share - mean)
    return total


@given(
    st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 15),
)
def test_calibration_equals_its_definition(answers, bins):
    # Whole percents put many confidences exactly on the edges of the bins.
    leading = [max(percent, 100 - percent) / 100 for percent, _ in answers]
    right = [each for _, each in answers]

    found = calibration(leading, right, bins=bins)
    assert found["expected_calibration_error"] == pytest.approx(ece_by_hand(leading, right, bins))
    assert sum(row["rows"] for row in found["bins"]) == len(answers)
    for row in found["bins"]:
        if row["rows"] == 0:
            assert row["confidence"] is None
            assert row["accuracy"] is None
        else:
            assert row["lower"] - 1e-12 <= row["confidence"] <= row["upper"] + 1e-12


def test_a_perfectly_calibrated_model_has_no_error():
    assert calibration([0.75] * 4, [True] * 3 + [False])["expected_calibration_error"] == 0


def test_a_document_is_as_sure_as_its_most_probable_label():
    probabilities = np.array([[0.75, 0.25], [0.05, 0.95]])
    found = evaluate(probabilities, [0, 0], labels=("a", "b"))["calibration"]
    assert found["expected_calibration_error"] == pytest.approx((0.25 + 0.95) / 2)


def test_of_several_labels_each_is_an_answer():
    probabilities = np.array([[0.9, 0.2], [0.9, 0.8]])
    found = evaluate_multilabel(probabilities, [[1, 0], [1, 1]], labels=("a", "b"))["calibration"]
    assert found["expected_calibration_error"] == pytest.approx((0.1 + 0.1 + 0.2 + 0.2) / 4)
    assert sum(row["rows"] for row in found["bins"]) == 4


tables = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(npst.arrays(bool, shape), npst.arrays(bool, shape))
)


@given(tables)
def test_multilabel_f1_equals_its_definition(case):
    truth, predicted = case
    micro, macro = multilabel_f1(truth, predicted)
    columns = [
        f1_by_hand(truth[:, i].astype(int).tolist(), predicted[:, i].astype(int).tolist(), 1)[2]
        for i in range(truth.shape[1])
        if truth[:, i].any() or predicted[:, i].any()
    ]
    flat = f1_by_hand(truth.ravel().astype(int).tolist(), predicted.ravel().astype(int).tolist(), 1)
    assert micro == pytest.approx(flat[2])
    assert macro == pytest.approx(np.mean(columns) if columns else 0)


def test_evaluate_is_ready_for_json():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.6, 0.4, 0.0]], np.float32)
    found = evaluate(probabilities, [0, 1, 1], labels=["a", "b", "c"])

    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == 3
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found["loss"] == pytest.approx(-np.log([0.7, 0.5, 0.4]).mean())
    assert found["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["by_label"]["b"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "rows": 2,
    }
    assert list(found["by_label"]) == found["labels"] == ["a", "b", "c"]
    assert "semeval_f1" not in found


def test_evaluate_adds_the_official_score_for_directed_relations():
    labels = ["Other", "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"]
    found = evaluate(np.eye(3)[[1, 2, 1, 0]], [1, 2, 2, 0], labels=labels)
    # One of three in the wrong direction: 2 hits, 3 claimed, 3 real.
    assert found["semeval_f1"] == pytest.approx(2 / 3)


def test_evaluate_multilabel():
    probabilities = [[0.9, 0.5, 0.1], [0.2, 0.6, 0.3]]
    found = evaluate_multilabel(probabilities, [[1, 1, 0], [1, 1, 0]], labels=["a", "b", "c"])
    assert json.loads(json.dumps(found)) == found
    assert found["accuracy"] == 0.5
    assert found["micro_f1"] == pytest.approx(2 * 3 / (3 + 4))
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["loss"] == pytest.approx(-np.log([0.9, 0.5, 0.9, 0.2, 0.6, 0.7]).mean())
    assert found["by_label"]["a"]["rows"] == 2
    assert "confusion" not in found


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        (np.empty((0, 2)), np.empty(0, int), "at least one row"),
        ([[0.5, 0.5]], [2], r"indices in \[0, 2\), got 2"),
        ([[0.5, 0.5]], [-1], r"indices in \[0, 2\), got -1"),
        ([[0.5, 0.5]], [0, 1], "expected 1 integers"),
        ([[0.5, 0.5]], [0.0], "integers, got float64"),
        ([[0.5, 0.3, 0.2]], [0], r"shape \(rows, 2\), got \(1, 3\)"),
        ([[0.9, 0.9]], [0], "sum to 1"),
        ([[2.0, -1.0]], [0], r"in \[0, 1\]"),
        ([[np.nan, 0.5]], [0], "NaN"),
    ],
)
def test_evaluate_refuses_what_is_no_prediction(probabilities, truth, message):
    with pytest.raises(ValueError, match=message):
        evaluate(probabilities, truth, labels=["a", "b"])


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        ([[0.5, 0.5]], [[1, 0], [1, 0]], "as the probabilities"),
        ([[0.5, 0.5]], [[0.5, 0]], "0 and 1 alone"),
        ([[0.5, 1.5]], [[1, 0]], r"in \[0, 1\]"),
    ],
)
def test_evaluate_multilabel_refuses_what_is_no_prediction(probabilities, truth, message):
    with pytest.raises(ValueError, match=message):
        evaluate_multilabel(probabilities, truth, labels=["a", "b"])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["Other", "Message-Topic(e1,e2)"], True),
        (["Message-Topic(e2,e1)"], True),
        (["Other"], False),
        ([], False),
        (["Other", "Message-Topic"], False),
        (["Message-Topic(e1, e2)"], False),
        (["pos", "neg"], False),
    ],
)
def test_are_directed_relations(labels, expected):
    assert are_directed_relations(labels) is expected


def test_semeval_counts_direction_and_leaves_other_out():
    truth = ["A(e1,e2)", "A(e2,e1)", "B(e1,e2)", "Other", "Other"]
    predicted = ["A(e1,e2)", "A(e1,e2)", None, "A(e1,e2)", "Other"]
    # A: 1 hit, 3 claimed, 2 real; B: never answered.
    assert semeval_macro_f1(truth, predicted) == pytest.approx((2 / 5 + 0) / 2)
    assert semeval_macro_f1(["Other"], ["Other"]) == 0
    with pytest.raises(ValueError, match="expected 2 labels, got 1"):
        semeval_macro_f1(["Other", "Other"], ["Other"])


def read_answers(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="ascii").splitlines()
    return dict(line.split("\t") for line in lines if line.strip())


@pytest.fixture
def semeval(corpora: Path) -> Path:
    folder = corpora / "semeval2010_task8"
    if not (folder / "scorer_cases").is_dir():
        pytest.skip(f"{folder}/scorer_cases is not there: set CORPORA to a folder that has it")
    return folder


def official_score(key: Path, answers: Path) -> str:
    """Our score in the official scorer's format."""
    truth, given = read_answers(key), read_answers(answers)
    score = semeval_macro_f1(list(truth.values()), [given.get(number) for number in truth])
    return f"{100 * score:.2f}"


@pytest.mark.parametrize("case", [1, 2, 3, 5])
def test_semeval_reproduces_the_official_scorer(semeval, case):
    folder = semeval / "scorer_cases"
    printed = (folder / f"result_scores{case}.txt").read_text(encoding="ascii")
    official = re.search(r"The official score is .* = +([\d.]+)%", printed)
    assert official is not None
    ours = official_score(folder / f"answer_key{case}.txt", folder / f"proposed_answer{case}.txt")
    assert ours == official[1]


def test_semeval_reproduces_a_published_result(semeval):
    ours = official_score(
        semeval / "TEST_FILE_KEY_directed.txt", semeval / "scorer_cases" / "att_blstm_predicted.txt"
    )
    assert ours == "83.13"


def test_semeval_refuses_a_malformed_answer_as_the_official_scorer_does(semeval):
    folder = semeval / "scorer_cases"
    with pytest.raises(ValueError, match="expected 'Other'"):
        official_score(folder / "answer_key3.txt", folder / "proposed_answer4.txt")
