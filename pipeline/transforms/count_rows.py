"""Nested counts -> one JSON file with their sum, which holds every number that a run reports.

The counts are elements of the pipeline, not Beam metrics: if a runner retries a bundle, its
elements count once, but it would increment a metric twice.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.corpora.reading.counts import add_counts, add_to
from pipeline.elements import Counts
from pipeline.storage.files import Files, write_json
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class CountRows(beam.PTransform):
    """Adds up nested counts, writes the sum to `path` and yields it.

    The counts of a bundle are added up in the step that yields them, into one dictionary. What
    passes between steps is then one element a bundle. Beam's `CombineGlobally` with a function
    copies its sum for every tenth element, so its time is quadratic in the number of files.
    """

    path: str
    files: Files

    def expand(self, counts: Any) -> beam.PCollection:
        """Takes one PCollection or several; writes `{}` if there are no counts."""
        several = counts if isinstance(counts, tuple) else (counts,)
        sums = tuple(
            each | f"Add up {number}" >> beam.ParDo(_AddUp()).with_output_types(Counts)
            for number, each in enumerate(several)
        )
        return sums | beam.Flatten() | WriteOneFile(self._write)

    def _write(self, sums: list[dict[str, Any]]) -> dict[str, Any]:
        counts = add_counts(sums)
        write_json(self.files, self.path, counts)
        return counts


class _AddUp(beam.DoFn):
    """Nested counts -> their sum over the bundle."""

    def start_bundle(self) -> None:
        self._sum: dict[str, Any] = {}

    def process(self, counts: Mapping[str, Any]) -> None:
        add_to(self._sum, counts)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._sum:
            yield GlobalWindows.windowed_value(self._sum)
