"""The page of a comparison of two models: flips, metrics, examples."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.corpora.scoring.gallery import ExampleDocument
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
    answered = flips.filter(flips.column("new_label").is_valid())
    chosen = answered.sort_by([("new_score", "descending"), ("document_id", "ascending")])
    return ComparisonReport(
        comparison=comparison,
        flips=[
            (_document(row, "old"), _document(row, "new"))
            for row in chosen.slice(0, SHOWN).to_pylist()
        ],
    )


def render_comparison(report: ComparisonReport) -> str:
    """A self-contained HTML page."""
    return render_page("comparison.html", report=report, comparison=report.comparison)


def _document(row: Mapping[str, Any], model: str) -> ExampleDocument:
    return ExampleDocument(
        document_id=row["document_id"],
        text=row["text"],
        truth=row["truth"],
        **{
            name: row[f"{model}_{name}"]
            for name in ("label", "score", "token_starts", "token_ends", "attention")
        },
    )
