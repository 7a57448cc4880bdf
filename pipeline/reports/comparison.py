"""The page of a comparison of two models: flips, metrics, examples."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.corpora.scoring.gallery import ExampleDocument, join_beginnings
from pipeline.reports.page import render_page

SHOWN = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonReport:
    """Everything the page shows.

    Attributes:
        comparison: as in `comparison.json`.
        flips: documents that flip, each with the prediction of the old and of the new model; the
            highest probability of the new label comes first.
    """

    comparison: Mapping[str, Any]
    flips: Sequence[tuple[ExampleDocument, ExampleDocument]]


def collect_comparison(comparison: Mapping[str, Any], flips: pa.Table) -> ComparisonReport:
    """Chooses the flips to show, from a table of schema `pipeline.corpora.scoring.flips.FLIPS`."""
    # Whole rows are taken of the shown documents alone: a text may be long.
    order = flips.select(["new_score", "document_id"]).append_column(
        "row", pa.array(range(flips.num_rows), pa.int64())
    )
    order = order.filter(flips.column("new_label").is_valid())
    order = order.sort_by([("new_score", "descending"), ("document_id", "ascending")])
    chosen = flips.take(order.column("row")[:SHOWN])
    return ComparisonReport(
        comparison=comparison,
        flips=[
            pair
            for batch in chosen.to_batches()
            for pair in zip(_documents(batch, "old"), _documents(batch, "new"), strict=True)
        ],
    )


def render_comparison(report: ComparisonReport) -> str:
    """A self-contained HTML page."""
    return render_page("comparison.html", report=report, comparison=report.comparison)


def _documents(flips: pa.RecordBatch, model: str) -> list[ExampleDocument]:
    """The documents with the predictions of a model, `old` or `new`; long ones are cut."""
    documents = {name: flips.column(name) for name in ("document_id", "text")}
    names = ("label", "score", "token_starts", "token_ends", "attention")
    predictions = {name: flips.column(f"{model}_{name}") for name in names}
    return join_beginnings(
        pa.record_batch({**documents, "label": flips.column("truth")}),
        pa.record_batch(predictions),
    )
