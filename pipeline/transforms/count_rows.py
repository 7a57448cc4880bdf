"""Nested counts -> one JSON file with their sum, which holds every number that a run reports.

The counts are elements of the pipeline, not Beam metrics: if a runner retries a bundle, its
elements count once, but it would increment a metric twice.
"""

import dataclasses
from typing import Any

import apache_beam as beam

from pipeline.corpora.reading.counts import add_counts
from pipeline.storage.files import Files, write_json
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class CountRows(beam.PTransform):
    """Adds up nested counts, writes the sum to `path` and yields it."""

    path: str
    files: Files

    def expand(self, counts: beam.PCollection) -> beam.PCollection:
        """Writes `{}` if there are no counts."""
        return (
            counts
            | "Add up" >> beam.CombineGlobally(add_counts).without_defaults()
            | WriteOneFile(self._write)
        )

    def _write(self, sums: list[dict[str, Any]]) -> dict[str, Any]:
        counts = add_counts(sums)
        write_json(self.files, self.path, counts)
        return counts
