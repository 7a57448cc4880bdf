"""The sections Metrics and Calibration of a model card."""

from collections.abc import Iterator

from model.metrics.evaluation import Evaluation
from model.metrics.names import SCORES
from pipeline.reports.formats import count, decimal, percent
from pipeline.reports.markdown import escaped, table
from pipeline.reports.model_report import ModelReport
from pipeline.training.trial_scores import summarize_trials


def describe_metrics(report: ModelReport) -> Iterator[str]:
    """The lines of the section: scores by split, by label, and over the seeds."""
    split = report.measured_split
    yield escaped(report.measurement_note)
    if split is None:
        return
    yield ""
    yield from _scores_by_split(report, report.evaluations[split])
    if report.baseline is not None:
        yield ""
        yield escaped(" ".join(report.baseline.sentences))
    if report.mix is not None:
        yield ""
        yield escaped(f"Network and wide part: {report.mix}.")
    yield ""
    yield f"By label, on {escaped(split)}:"
    yield ""
    yield from _scores_by_label(report.evaluations[split])
    yield from _seeds(report)


def describe_calibration(report: ModelReport) -> Iterator[str]:
    """The lines of the section: the calibration error and a row for each bin of probability."""
    split = report.measured_split
    calibration = report.evaluations[split].get("calibration") if split else None
    if calibration is None:
        return
    error = percent(calibration["expected_calibration_error"])
    yield f"Expected calibration error: {error}."
    yield ""
    yield (
        "Accuracy by the probability of a label; each label of each document counts as one "
        "prediction:"
        if report.multilabel
        else "Accuracy by the probability of the predicted label:"
    )
    yield ""
    yield from table(
        ["Probability", "Predictions", "Mean probability", "Accuracy"],
        [
            [
                f"{percent(row['lower'])} to {percent(row['upper'])}",
                count(row["rows"]),
                percent(row["confidence"]),
                percent(row["accuracy"]),
            ]
            for row in calibration["bins"]
            if row["confidence"] is not None and row["accuracy"] is not None
        ],
    )


def _scores_by_split(report: ModelReport, evaluation: Evaluation) -> list[str]:
    names = [name for name in SCORES if name in evaluation]
    titles = [SCORES[name][0].upper() + SCORES[name][1:] for name in names]
    return table(
        ["Split", "Documents", *titles, "Log loss"],
        [
            [
                escaped(split),
                count(scores["rows"]),
                *(percent(scores[name]) for name in names),
                decimal(scores["loss"]),
            ]
            for split, scores in report.scores.items()
        ],
    )


def _scores_by_label(evaluation: Evaluation) -> list[str]:
    return table(
        ["Label", "Documents", "Precision", "Recall", "F1"],
        [
            [
                escaped(label),
                count(scores["rows"]),
                percent(scores["precision"]),
                percent(scores["recall"]),
                percent(scores["f1"]),
            ]
            for label, scores in evaluation["by_label"].items()
        ],
    )


def _seeds(report: ModelReport) -> Iterator[str]:
    """Means over the seeds. The best seed was chosen, so its own scores are slightly too high."""
    scores = [
        score
        for score in summarize_trials(report.trials)
        if (score.variant, score.split) == (report.variant, report.measured_split)
        and score.metric in SCORES
    ]
    if scores:
        seeds = sum(trial.variant == report.variant for trial in report.trials)
        means = ", ".join(
            f"{SCORES[score.metric]} {percent(score.mean)} ± {percent(score.deviation)}"
            for score in scores
        )
        yield ""
        yield (
            f"Over {seeds} seeds, of which validation chose this one: {means} (mean and standard "
            "deviation)."
        )
