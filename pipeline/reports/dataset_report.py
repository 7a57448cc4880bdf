"""The page of a dataset: data, warnings, rejections, provenance."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reports.content import DataStatistics, InputCounts, RejectionGroup
from pipeline.reports.formats import dotted
from pipeline.reports.page import render_page


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """Everything the page shows.

    Attributes:
        fingerprint: of the dataset, which is the name of its folder.
        finished: ISO 8601.
        complete: whether the dataset may be used; False if too many rows were rejected.
        rows_read: rows of the corpus, the rejected ones included.
        statistics: of the documents that are used.
        coverage: the share of the training split's tokens that are in the vocabulary.
        frequent_tokens: the most frequent tokens of the vocabulary.
        rejections: by reason.
        inputs: the input files.
        warnings: sentences for a person.
        config: the configuration of corpus and text, nested.
        provenance: names and values, in the order to show them.
    """

    fingerprint: str
    finished: str
    complete: bool
    rows_read: int
    statistics: DataStatistics
    coverage: float
    frequent_tokens: Sequence[str] = ()
    rejections: Sequence[RejectionGroup] = ()
    inputs: Sequence[InputCounts] = ()
    warnings: Sequence[str] = ()
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)


def render_dataset_report(report: DatasetReport) -> str:
    """A self-contained HTML page."""
    return render_page(
        "dataset_report.html",
        report=report,
        documents=sum(split.documents for split in report.statistics.splits.values()),
        rows_rejected=sum(group.rows for group in report.rejections),
        settings=list(dotted(report.config)),
    )
