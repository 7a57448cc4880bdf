"""What the terminal shows of scores."""

import pytest

from pipeline.cli.printing import print_metrics


def test_scores_that_were_measured_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    plain = {"rows": 4, "accuracy": 0.75, "macro_f1": 0.5, "loss": 0.25}
    print_metrics({"test": plain}, title="plain")
    assert "SemEval F1" not in capsys.readouterr().out
    print_metrics({"validation": plain, "test": {**plain, "semeval_f1": 0.8125}}, title="both")
    shown = capsys.readouterr().out
    assert "SemEval F1" in shown
    assert "0.8125" in shown
    assert shown.count("0.7500") == 2
