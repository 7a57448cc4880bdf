"""The page of a scoring run: predictions, drift, examples, rejections, provenance."""

import dataclasses
from collections.abc import Mapping, Sequence

from pipeline.corpora.reading.counts import sort_by_count
from pipeline.corpora.scoring.gallery import ExampleDocument
from pipeline.reports.charts import score_chart
from pipeline.reports.content import DriftRow, InputCounts, RejectionGroup
from pipeline.reports.page import render_page


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunReport:
    """Everything the page shows.

    Attributes:
        run_id: as in the manifest.
        date: the date whose partition was written.
        model_version: of the model that scored, such as `sentiment/3`.
        started: ISO 8601.
        seconds: how long reading, scoring and writing took.
        documents_per_second: rows scored in that time.
        rows_read: rows of the corpus, the rejected ones included.
        rows_scored: rows with a prediction: `rows_read` less the rejected rows.
        rows_abstained: rows with a prediction but without an answer, because too many of their
            tokens are unknown; None where the run had no such limit.
        label_counts: documents by predicted label.
        score_histogram: documents by the probability of their label, in bins of
            equal width over [0, 1].
        most_certain: documents, the most certain first.
        least_certain: documents, the least certain first.
        rejections: by reason.
        inputs: the input files.
        drift: how much the corpus differs from the validation documents and the last nights.
        warnings: sentences for a person, such as a quality gate that tripped.
        provenance: names and values, in the order to show them.
    """

    run_id: str
    date: str
    model_version: str
    started: str
    seconds: float
    documents_per_second: float
    rows_read: int
    rows_scored: int
    label_counts: Mapping[str, int]
    score_histogram: Sequence[int]
    most_certain: Sequence[ExampleDocument] = ()
    least_certain: Sequence[ExampleDocument] = ()
    rejections: Sequence[RejectionGroup] = ()
    inputs: Sequence[InputCounts] = ()
    drift: Sequence[DriftRow] = ()
    warnings: Sequence[str] = ()
    rows_abstained: int | None = None
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)


def render_run_report(report: RunReport) -> str:
    """A self-contained HTML page."""
    return render_page(
        "run_report.html",
        report=report,
        rows_rejected=sum(group.rows for group in report.rejections),
        labels=sort_by_count(report.label_counts),
        scores=score_chart(report.score_histogram),
    )
