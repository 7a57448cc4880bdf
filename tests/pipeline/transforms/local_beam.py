"""Pipelines that run in this process, and rows of record batches for matchers."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from apache_beam.testing.test_pipeline import TestPipeline


def local_pipeline() -> TestPipeline:
    """A pipeline that runs in this process when its block ends."""
    return TestPipeline("FnApiRunner")


def name_rows(element: tuple[int, pa.RecordBatch], *columns: str) -> Iterator[tuple[Any, ...]]:
    """`(unit, value, ...)` for every row of a unit's batch."""
    unit, batch = element
    for row in batch.select(columns).to_pylist():
        yield unit, *row.values()
