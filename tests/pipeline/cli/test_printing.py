"""What the terminal shows of scores."""

import pytest

from pipeline.cli.exit_codes import DONE, GATE_TRIPPED
from pipeline.cli.printing import (
    print_coverage,
    print_left_out,
    print_line,
    print_metrics,
    print_rows,
    print_scored,
    print_trained,
    print_trials,
)
from pipeline.cli.score import _conclude_backfill
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles
from pipeline.nights.partition import Partition
from pipeline.stages.backfill import Night
from pipeline.stages.score import ScoringRun
from pipeline.stages.train import Trained
from tests.pipeline.reports import made_up
from tests.pipeline.training.results import trial_result


def test_no_line_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("note: the label 'a\x1b[2J' [bold]")
    assert capsys.readouterr().out == "note: the label 'a␛[2J' [bold]\n"


def test_a_table_prints_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    measured = {"te[/]st\x1b": {"rows": 4, "accuracy": 0.75}}
    print_metrics(measured, title="[link=x]a\u202eb[/link] :smile: [/]")
    shown = capsys.readouterr().out
    assert "[link=x]a\\u202eb[/link] :smile: [/]" in shown
    assert "te[/]st␛" in shown


def test_scores_that_were_measured_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    plain = {"rows": 4, "accuracy": 0.75, "macro_f1": 0.5, "loss": 0.25}
    print_metrics({"test": plain}, title="plain")
    assert "SemEval F1" not in capsys.readouterr().out
    print_metrics({"validation": plain, "test": {**plain, "semeval_f1": 0.8125}}, title="both")
    shown = capsys.readouterr().out
    assert "SemEval F1" in shown
    assert "0.8125" in shown
    assert shown.count("0.7500") == 2


def test_the_linear_baseline_is_shown_below_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    measured = {"rows": 10, "accuracy": 0.9, "macro_f1": 0.9, "loss": 0.25}
    trials = [trial_result(seed=seed, metrics={"test": measured}) for seed in (1, 2)]
    rows = {"read": 30, "used": 30, "rejected": {}}
    dataset = Dataset(
        files=DatasetFiles(folder="datasets/1"),
        manifest={"rows": rows, "config": {"text": {"max_tokens": 8}}},
        statistics={"splits": {}, "warnings": []},
    )
    print_trained(
        Trained(
            folder="models/1",
            dataset=dataset,
            best=trials[1],
            trials=trials,
            chosen_epochs=None,
            baseline=made_up.baseline(right=10),
        )
    )
    shown = capsys.readouterr().out
    assert shown.count("test, linear baseline") == 1  # in the table of the published trial
    assert "test, linear baseline" in shown.split("base, seed 2")[1]
    assert "baseline     The linear baseline is TF-IDF (words 1-2) with logistic reg" in shown
    assert (
        "baseline     The linear baseline counts as equal to this model on test: accuracy 100.0% "
        "against 90.0%, 10.0 points more, but the 95 % interval (-8.6 to +28.6) includes 0.\n"
    ) in shown


def test_the_name_of_a_variant_stands_apart_from_its_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured = {"rows": 10, "accuracy": 0.5}
    print_trials(
        [
            trial_result(variant=variant, seed=seed, metrics={"test": measured})
            for variant in ("base", "without_the_wide_part")
            for seed in (1, 2)
        ]
    )
    assert capsys.readouterr().out.splitlines()[:2] == [
        "base                  test accuracy: 0.5000 ± 0.0000",
        "without_the_wide_part test accuracy: 0.5000 ± 0.0000",
    ]


def test_rows_without_an_answer_are_named_beside_the_rows_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = {"read": 12, "used": 10, "rejected": {"empty_text": 2}}
    print_rows(rows)
    assert "12 read, 10 used, 2 rejected (2 empty_text)" in capsys.readouterr().out
    print_rows({**rows, "abstained": 3})
    assert "12 read, 10 used (3 abstained), 2 rejected" in capsys.readouterr().out
    print_rows({**rows, "headers_skipped": 3})
    assert "skipped      3 lines that repeat the header" in capsys.readouterr().out


def test_documents_that_the_scores_are_not_of_are_counted_with_their_labels(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_left_out({"rows": 10, "unlabeled": 0, "unknown_labels": {}}, used=10)
    assert not capsys.readouterr().out
    unknown = {f"label{number}": number for number in range(1, 8)}
    print_left_out({"rows": 50, "unlabeled": 52, "unknown_labels": unknown}, used=102)
    assert capsys.readouterr().out.splitlines() == [
        "left out     52 of 102 documents, which have no label that the model knows; the scores "
        "are those of 50",
        "unknown      labels that the model does not know: 'label7' (7), 'label6' (6), "
        "'label5' (5), 'label4' (4), 'label3' (3), and 2 more",
    ]


def test_coverage_is_shown_where_a_model_may_abstain(capsys: pytest.CaptureFixture[str]) -> None:
    print_coverage({"rows": 10})
    assert not capsys.readouterr().out
    print_coverage({"rows": 9, "coverage": 0.9})
    assert "coverage     0.9000: the scores are those" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rejected", "hidden"), [({}, 0), ({"empty_text": 2}, 0), ({}, 3), ({"empty_text": 2}, 3)]
)
def test_the_summary_of_a_night_names_what_is_not_in_its_predictions(
    capsys: pytest.CaptureFixture[str], rejected: dict[str, int], hidden: int
) -> None:
    manifest = {
        "rows": {"read": 12, "used": 12 - sum(rejected.values()), "rejected": rejected},
        "documents_per_second": 10.0,
        "below_min_score": hidden,
        "drift": {"warnings": []},
        "config": {"scoring": {"min_score": 0.75}},
    }
    partition = Partition(output="out", date="2026-11-20")
    print_scored(ScoringRun(partition=partition, folder="out/runs/r", manifest=manifest))
    shown = capsys.readouterr().out
    assert ("rejected     out/rejected/dt=2026-11-20" in shown) == bool(rejected)
    assert ("3 of the rows used have a score below 0.75 and are not written" in shown) == (
        hidden > 0
    )


def test_a_backfill_says_which_dates_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    def night(date: str, *warnings: str) -> Night:
        manifest = {
            "rows": {"read": 3, "used": 3, "rejected": {}},
            "drift": {"warnings": list(warnings)},
            "config": {"drift": {"on_drift": "alert"}},
        }
        partition = Partition(output="out", date=date)
        run = ScoringRun(partition=partition, folder="run", manifest=manifest)
        return Night(date=date, status="done", run=run)

    nights = [
        night("2026-11-19"),
        night("2026-11-20", "The labels drifted.", "The scores drifted."),
    ]
    assert _conclude_backfill(nights) == GATE_TRIPPED
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-19   done     3 rows",
        "2026-11-20   done     3 rows, 2 measures drifted",
        "gate         1 of 2 dates drifted (drift.on_drift is alert): 2026-11-20",
    ]
    assert _conclude_backfill(nights[:1]) == DONE
