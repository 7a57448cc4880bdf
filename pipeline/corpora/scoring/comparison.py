"""Compares the predictions of an old and a new model on one corpus, before a promotion."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.bundle.bundle import Bundle
from model.config import ConfigError
from pipeline.corpora.scoring.flips import list_flip_counts, select_model_columns
from pipeline.corpora.scoring.labeled_predictions import label_predictions
from pipeline.corpora.scoring.measurement import measure, stack_predictions_of_model
from pipeline.process.printable import shortened
from pipeline.process.told_apart import told_apart

MODELS = ("old", "new")
LABELS_SHOWN = 5  # in a sentence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gates:
    """Limits that a new model must keep to be promoted; None: no limit.

    Attributes:
        max_churn: the largest share of documents that may get another label.
        min_accuracy_gain: the least difference, new accuracy minus old accuracy.
    """

    max_churn: float | None = None
    min_accuracy_gain: float | None = None


def keep_answered_by_both(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Keeps the rows in which both models found a token: both are measured on the same rows.

    Args:
        documents: a batch.
        predictions: of both models, one row for each document.
        prefix: the names of the columns of the new model begin with it.
    """
    both = pc.and_(
        predictions.column("probabilities").is_valid(),
        predictions.column(f"{prefix}probabilities").is_valid(),
    )
    return documents.filter(both), predictions.filter(both)


def label_predictions_of_model(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str
) -> tuple[int, pa.RecordBatch]:
    """True labels beside the probabilities of the model whose columns begin with `prefix`."""
    return label_predictions(
        documents, select_model_columns(predictions, prefix, ["probabilities", "label"])
    )


def summarize_comparison(
    counts: Mapping[str, Any],
    bundles: Sequence[Bundle],
    labeled: Mapping[str, pa.Table],
    *,
    rows: Mapping[str, Any],
    gates: Gates,
) -> dict[str, Any]:
    """The object that `comparison.json` holds.

    Args:
        counts: how many documents were compared and which flips occurred, from `count_flips`.
        bundles: the old and the new model.
        labeled: for `old` and `new`, a table of schema `LABELED_PREDICTIONS`.
        rows: the `rows` of a manifest.
        gates: the limits of the promotion.

    Raises:
        ConfigError: if accuracy has a gate and no document has a label that both models know.
    """
    documents, flips = counts.get("compared", 0), counts.get("flips", {})
    flipped = sum(flips.values())
    comparison = {
        "old": bundles[0].model_version,
        "new": bundles[1].model_version,
        "documents": documents,
        "flipped": flipped,
        "agreement": 1 - flipped / max(documents, 1),
        "flips": list_flip_counts(flips),
        "metrics": measure_both(labeled, bundles),
        "unknown_labels": count_unknown_labels(labeled, bundles),
        "rows": rows,
        "notes": list(compare_labels(*(bundle.labels for bundle in bundles))),
    }
    return {**comparison, "tripped": check_gates(comparison, gates)}


def compare_labels(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """A sentence if two models have different labels: documents of these can only flip."""
    if not set(old) & set(new):
        yield (
            f"The models have no label in common (old: {_some(old)}; new: {_some(new)}), so every "
            "document flips and agreement says nothing. Compare models of the same labels."
        )
        return
    for name, labels, others in (("old", old, set(new)), ("new", new, set(old))):
        only = [label for label in labels if label not in others]
        if only:
            yield f"Labels that only the {name} model has: {_some(only)}."


def _some(labels: Sequence[str]) -> str:
    return ", ".join(map(shortened, labels[:LABELS_SHOWN])) + (
        ", .." if len(labels) > LABELS_SHOWN else ""
    )


def measure_both(labeled: Mapping[str, pa.Table], bundles: Sequence[Bundle]) -> dict[str, Any]:
    """Metrics of both models on the documents whose label both know; empty if there are none."""
    metrics = {}
    shared = pa.array(sorted(set(bundles[0].labels) & set(bundles[1].labels)), pa.string())
    for model, bundle in zip(MODELS, bundles, strict=True):
        table = labeled[model]
        if bundle.config.network.head != "multilabel":
            table = table.filter(pc.is_in(table.column("label"), shared))
        stacked = stack_predictions_of_model(table, bundle)
        if not len(stacked.labels):
            return {}
        metrics[model] = measure(stacked, labels=bundle.labels)
    return metrics


def count_unknown_labels(
    labeled: Mapping[str, pa.Table], bundles: Sequence[Bundle]
) -> dict[str, int]:
    """How many documents have each label that not both models know."""
    unknown: dict[str, int] = {}
    for model, bundle in zip(MODELS, bundles, strict=True):
        unknown |= stack_predictions_of_model(labeled[model], bundle).unknown_labels
    return unknown


def check_gates(comparison: Mapping[str, Any], gates: Gates) -> list[str]:
    """One sentence for each limit that the new model does not keep.

    Raises:
        ConfigError: if accuracy has a gate and no document has a label that both models know.
    """
    tripped = []
    churn = 1 - comparison["agreement"]
    if gates.max_churn is not None and churn > gates.max_churn:
        shown, limit = told_apart(churn, gates.max_churn, percent=True)
        tripped.append(f"{shown} of the documents flip, expected at most {limit} (--max-churn).")
    if gates.min_accuracy_gain is not None:
        metrics = comparison["metrics"]
        if not metrics:
            raise ConfigError(
                "--min-accuracy-gain: expected labels that both models know in the corpus, got "
                "none. Give a labeled --input, or check corpus.columns.label."
            )
        gain = metrics["new"]["accuracy"] - metrics["old"]["accuracy"]
        if gain < gates.min_accuracy_gain:
            shown, limit = told_apart(gain, gates.min_accuracy_gain, digits=4)
            tripped.append(
                f"accuracy changes by {_signed(shown)}, expected at least {_signed(limit)} "
                "(--min-accuracy-gain)."
            )
    return tripped


def _signed(number: str) -> str:
    return number if number.startswith("-") else f"+{number}"
