"""SemEval's score by hand, and against the official scorer's own cases and a published result."""

import re
from pathlib import Path

import pytest

from model.metrics.semeval import are_directed_relations, semeval_f1


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
    # A: 1 hit, 3 predicted, 2 true; B: never answered.
    assert semeval_f1(truth, predicted) == pytest.approx((2 / 5 + 0) / 2)
    assert semeval_f1(["Other"], ["Other"]) == 0
    with pytest.raises(ValueError, match="expected 2 labels, got 1"):
        semeval_f1(["Other", "Other"], ["Other"])


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
    score = semeval_f1(list(truth.values()), [given.get(number) for number in truth])
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
