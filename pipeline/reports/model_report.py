"""The page of a model: metrics, calibration, examples, training, data, provenance."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from model.metrics.evaluation import Evaluation
from model.training.wide_fitting.mix import Mix
from pipeline.corpora.scoring.gallery import ExampleDocument
from pipeline.reports.charts import reliability_chart, training_charts
from pipeline.reports.confusion_matrix import confusion_matrix, frequent_confusions
from pipeline.reports.content import DataStatistics, InputCounts, RejectionGroup
from pipeline.reports.formats import counted, dotted
from pipeline.reports.page import render_page
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.trial_scores import TrialRecord, compare_variants, summarize_trials


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelReport:
    """Everything the page and the model card show.

    Attributes:
        model_version: name and version, such as `sentiment/3`.
        created: ISO 8601.
        command: what reproduces the model, as typed; None where it is not known.
        evaluations: by split, as `model.metrics.evaluation.evaluate` gives them.
        history: a row an epoch, as in `history.csv`: `epoch`, `loss`,
            `validation_loss`, ...
        best_epoch: the epoch whose weights were kept; None of an ensemble.
        variant: which variant of the config this model is.
        seed: the seed of this model.
        trials: all seeds that were tried, this one among them.
        statistics: of the dataset.
        rows_read: rows of the corpus, the rejected ones included.
        examples_split: which split the documents are from.
        most_certain: documents, the most certain first.
        least_certain: documents, the least certain first.
        rejections: by reason.
        inputs: the input files.
        vectors: the file of word vectors that the embedding started from, its digest, and how many
            of the vocabulary's tokens it has; None if it started from random vectors.
        encoder: the same of the encoder that the network started from; None without one.
        mix: how much network and wide part count; None without a wide part or without validation.
        baseline: the linear baseline of the run; None if it was not asked for.
        warnings: sentences for a person.
        config: the resolved configuration, nested.
        provenance: names and values, in the order to show them.
    """

    model_version: str
    created: str
    command: str | None
    evaluations: Mapping[str, Evaluation]
    history: Sequence[Mapping[str, float]]
    best_epoch: int | None
    variant: str
    seed: int
    statistics: DataStatistics
    rows_read: int
    examples_split: str
    trials: Sequence[TrialRecord] = ()
    most_certain: Sequence[ExampleDocument] = ()
    least_certain: Sequence[ExampleDocument] = ()
    rejections: Sequence[RejectionGroup] = ()
    inputs: Sequence[InputCounts] = ()
    vectors: Mapping[str, Any] | None = None
    encoder: Mapping[str, Any] | None = None
    mix: Mix | None = None
    baseline: BaselineRecord | None = None
    warnings: Sequence[str] = ()
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def measured_split(self) -> str | None:
        """The split whose metrics come first: test, else validation, else any; None without any."""
        preferred = [split for split in ("test", "validation") if split in self.evaluations]
        return next(iter([*preferred, *self.evaluations]), None)

    @property
    def measurement_note(self) -> str:
        """What the metrics were measured on, and whether that makes them too high."""
        split = self.measured_split
        if split is None:
            return "No split was evaluated."
        measured = f"Measured on {counted(self.evaluations[split]['rows'], 'document')} of {split}."
        if split == "test":
            unused = "Training did not use this split to choose anything."
            return " ".join([measured, unused, *self._texts_seen(split)])
        if split == "validation":
            return (
                f"{measured} This split also chose the epoch to keep, so the metrics are slightly "
                "too high."
            )
        return measured

    def _texts_seen(self, split: str) -> list[str]:
        """A sentence on the texts of a split that are in the training split too, if any are."""
        texts = self.statistics.duplicates_across.get(f"train and {split}", 0)
        if not texts:
            return []
        return [
            f"Training saw {counted(texts, 'text')} of this split, so the metrics are slightly too "
            "high."
        ]

    @property
    def scores(self) -> dict[str, Mapping[str, Any]]:
        """The scores of the model on each split, and below them those of the linear baseline."""
        return {**self.evaluations, **(self.baseline.rows() if self.baseline else {})}

    @property
    def has_wide_part(self) -> bool:
        """Whether a wide part stands beside the network."""
        return self.config.get("network", {}).get("wide") is not None

    @property
    def multilabel(self) -> bool:
        """Whether a document may have any number of labels."""
        return any("micro_f1" in evaluation for evaluation in self.evaluations.values())


def render_model_report(report: ModelReport) -> str:
    """A self-contained HTML page."""
    measured_split = report.measured_split
    evaluation = report.evaluations[measured_split] if measured_split else None
    return render_page(
        "model_report.html",
        report=report,
        measured_split=measured_split,
        evaluation=evaluation,
        matrix=confusion_matrix(evaluation) if evaluation else None,
        confusions=frequent_confusions(evaluation) if evaluation else [],
        reliability=_reliability(evaluation),
        training=training_charts(report.history, best_epoch=report.best_epoch),
        trial_columns=_trial_columns(report.trials),
        trial_scores=summarize_trials(report.trials),
        gains=compare_variants(report.trials),
        settings=list(dotted(report.config)),
    )


def _trial_columns(trials: Sequence[TrialRecord]) -> list[tuple[str, str]]:
    """The `(split, metric)` pairs that every trial has."""
    return [
        (split, metric)
        for split, values in (trials[0].metrics if trials else {}).items()
        for metric in values
        if metric != "rows" and all(metric in trial.metrics.get(split, {}) for trial in trials)
    ]


def _reliability(evaluation: Evaluation | None) -> Any:
    calibration = evaluation.get("calibration") if evaluation else None
    return reliability_chart(calibration) if calibration else None
