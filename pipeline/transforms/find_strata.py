"""Documents -> one file with the positions where the splits of each label end."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.splits import takes_validation_from_training
from pipeline.corpora.preparing.strata import (
    add_strata_counts,
    count_strata,
    find_strata,
    key_strata,
)
from pipeline.storage.files import Files, write_json
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class FindStrata(beam.PTransform):
    """Writes the `Strata` of documents to `path`, as JSON."""

    corpus: CorpusConfig
    path: str
    files: Files
    buckets: int

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """Takes `(unit index, record batch)`; only the `STRATUM_KEYS` are shuffled."""
        return (
            documents
            | "Key" >> beam.FlatMap(self._key)
            | "Gather buckets" >> beam.GroupByKey()
            | "Count" >> beam.MapTuple(_count)
            | "Add up" >> beam.CombineGlobally(add_strata_counts).without_defaults()
            | WriteOneFile(self._write)
        )

    def _key(self, element: tuple[int, pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
        divide_training = takes_validation_from_training(self.corpus)
        documents = add_digests(element[1])
        return key_strata(documents, divide_training=divide_training, buckets=self.buckets)

    def _write(self, sums: list[dict[str, Any]]) -> None:
        strata = find_strata(add_strata_counts(sums), shares=self.corpus.splits)
        write_json(self.files, self.path, strata.to_json())


def _count(bucket: int, keys: Iterable[pa.RecordBatch]) -> dict[str, Any]:
    return count_strata(keys)
