"""Documents -> documents with a split, and the keys that `FindDuplicates` compares."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.duplicates import key_documents
from pipeline.corpora.preparing.splits import assign_splits, takes_validation_from_training
from pipeline.corpora.preparing.strata import Strata
from pipeline.elements import UnitBatch
from pipeline.storage.files import Files, read_json


@dataclasses.dataclass
class SplitDocuments(beam.PTransform):
    """Assigns every document to a split.

    Returns two PCollections: `documents`, of `(unit index, record batch)` with `digest` added and
    `split` filled, and `keys`, of `((kind, bucket), keys)` for `FindDuplicates`; `buckets` is the
    number of buckets of each kind.

    `strata` is the path of the file that `FindStrata` wrote; None if splits are not stratified.
    """

    corpus: CorpusConfig
    files: Files
    buckets: int
    strata: str | None = None

    def expand(self, documents: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Takes `(unit index, record batch)`; batches keep their rows and their order."""
        assign = _AssignSplits(self.corpus, self.files, self.buckets, self.strata)
        keyed = tuple[tuple[str, int], pa.RecordBatch]
        return documents | (
            beam.ParDo(assign)
            .with_output_types(UnitBatch, keys=keyed)
            .with_outputs("keys", main="documents")
        )


@dataclasses.dataclass
class _AssignSplits(beam.DoFn):
    corpus: CorpusConfig
    files: Files
    buckets: int
    strata: str | None

    def setup(self) -> None:
        self._strata = Strata(shares=self.corpus.splits)
        if self.strata is not None:
            found = read_json(self.files, self.strata)
            self._strata = Strata.from_json(found, shares=self.corpus.splits)

    def process(self, element: UnitBatch) -> Iterator[Any]:
        unit, documents = element
        documents = add_digests(documents)
        validation, test = self._strata.bounds_of(documents)
        documents = assign_splits(
            documents,
            validation=validation,
            test=test,
            divide_training=takes_validation_from_training(self.corpus),
        )
        yield unit, documents
        for keyed in key_documents(documents, buckets=self.buckets):
            yield beam.pvalue.TaggedOutput("keys", keyed)
