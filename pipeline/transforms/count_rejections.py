"""Rejections -> nested counts by file and by reason."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.corpora.reading.accounting import count_rejected


class CountRejections(beam.PTransform):
    """`(unit index, record batch of rejections)` -> nested counts."""

    def expand(self, rejections: beam.PCollection) -> beam.PCollection:
        """Yields the counts of each batch; `CountRows` adds them up."""
        return rejections | beam.MapTuple(_count)


def _count(unit: int, rejections: pa.RecordBatch) -> dict[str, Any]:
    return count_rejected(rejections)
