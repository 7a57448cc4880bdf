"""Keys of documents -> a file of the rows that repeat an id, and counts of repeated texts."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.preparing.duplicates import (
    REPEATED_ROWS,
    count_repeated_texts,
    find_repeated_ids,
)
from pipeline.storage.files import Files
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class FindDuplicates(beam.PTransform):
    """Compares documents bucket by bucket.

    Writes the rows that repeat the document id of an earlier row to `path`, as Parquet. Yields
    counts, `{"duplicates": {"within": .., "across": ..}}`.
    """

    path: str
    files: Files

    def expand(self, keys: beam.PCollection) -> beam.PCollection:
        """Takes `((kind, bucket), keys)` from `key_documents`; texts are not shuffled."""
        found = (
            keys
            | "Gather buckets" >> beam.GroupByKey()
            | "Compare" >> beam.ParDo(_compare_bucket).with_outputs("repeats", main="counts")
        )
        found.repeats | WriteOneFile(self._write)
        return found.counts

    def _write(self, batches: list[pa.RecordBatch]) -> None:
        with self.files.create(self.path) as sink:
            pq.write_table(pa.Table.from_batches(batches, REPEATED_ROWS), sink)


def _compare_bucket(
    element: tuple[tuple[str, int], Iterable[pa.RecordBatch]],
) -> Iterator[Any]:
    (kind, _), keys = element
    if kind == "id":
        repeats = find_repeated_ids(keys)
        if repeats.num_rows:
            yield beam.pvalue.TaggedOutput("repeats", repeats)
    else:
        yield {"duplicates": count_repeated_texts(keys)}
