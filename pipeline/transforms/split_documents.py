"""Documents -> documents with a split, and the keys that find duplicates."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.config import CorpusConfig
from pipeline.corpora.duplicates import key_documents
from pipeline.corpora.splits import assign_splits, digest_texts, takes_validation_from_training


@dataclasses.dataclass
class SplitDocuments(beam.PTransform):
    """Assigns every document to a split.

    Returns two PCollections: `documents`, of `(unit index, record batch)` with
    `split` filled, and `keys`, of `((kind, bucket), record batch of digests)`.
    """

    corpus: CorpusConfig

    def expand(self, documents: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Row-wise; batches keep their rows and their order."""
        return documents | beam.ParDo(_AssignSplits(self.corpus)).with_outputs(
            "keys", main="documents"
        )


@dataclasses.dataclass
class _AssignSplits(beam.DoFn):
    corpus: CorpusConfig

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[Any]:
        unit, documents = element
        digests = digest_texts(documents.column("text"))
        documents = assign_splits(
            documents,
            digests,
            shares=self.corpus.splits,
            divide_training=takes_validation_from_training(self.corpus),
        )
        yield unit, documents
        for keyed in key_documents(documents, digests):
            yield beam.pvalue.TaggedOutput("keys", keyed)
