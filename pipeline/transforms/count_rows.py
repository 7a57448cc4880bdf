"""Nested counts -> one JSON file: every number a run reports is added up here.

Counts are data that flow through the pipeline, not metrics: a bundle that a
runner retries is added once.
"""

import dataclasses
from typing import Any

import apache_beam as beam

from pipeline.corpora.reading.counts import add_counts
from pipeline.storage.files import Files, write_json
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class CountRows(beam.PTransform):
    """Adds up nested counts and writes the sum to `path`; yields the sum."""

    path: str
    files: Files

    def expand(self, counts: beam.PCollection) -> beam.PCollection:
        """Writes `{}` where nothing was counted."""
        return (
            counts
            | "Add up" >> beam.CombineGlobally(add_counts).without_defaults()
            | WriteOneFile(self._write)
        )

    def _write(self, sums: list[dict[str, Any]]) -> dict[str, Any]:
        counts = add_counts(sums)
        write_json(self.files, self.path, counts)
        return counts
