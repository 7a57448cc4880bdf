"""Documents with splits -> serialized examples, rejections and counts."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.config import ResolvedTextConfig
from pipeline.corpora.preparing.encoding import DocumentEncoder, ExampleLayout
from pipeline.corpora.preparing.survey import SurveyFiles
from pipeline.corpora.reading.accounting import count_used
from pipeline.elements import Counts, UnitBatch
from pipeline.storage.files import Files


@dataclasses.dataclass
class EncodeDocuments(beam.PTransform):
    """Encodes documents with the vocabulary and the labels that a survey found.

    Returns four PCollections: `examples`, of `(unit index, {split: serialized examples})`;
    `documents`, the record batches of the documents that became examples; `rejections`, of
    `(unit index, record batch)`; and `counts`.
    """

    text: ResolvedTextConfig
    layout: ExampleLayout
    survey: SurveyFiles
    files: Files

    def expand(self, documents: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Takes `(unit index, record batch)`; encodes each batch separately, in order."""
        encode = _Encode(self.text, self.layout, self.survey, self.files)
        return documents | (
            beam.ParDo(encode)
            .with_output_types(
                tuple[int, dict[str, list[bytes]]],
                documents=pa.RecordBatch,
                rejections=UnitBatch,
                counts=Counts,
            )
            .with_outputs("documents", "rejections", "counts", main="examples")
        )


@dataclasses.dataclass
class _Encode(beam.DoFn):
    text: ResolvedTextConfig
    layout: ExampleLayout
    survey: SurveyFiles
    files: Files

    def setup(self) -> None:
        found = self.survey.load(self.files, self.text)
        self._repeats = found.repeats
        self._encoder = DocumentEncoder(
            self.text, vocabulary=found.vocabulary, labels=found.labels, layout=self.layout
        )

    def process(self, element: UnitBatch) -> Iterator[Any]:
        unit, documents = element
        documents, repeated = self._repeats.remove(documents)
        encoded = self._encoder.encode(documents)
        yield unit, encoded.examples
        yield beam.pvalue.TaggedOutput("documents", encoded.documents)
        yield beam.pvalue.TaggedOutput("counts", encoded.counts)
        yield beam.pvalue.TaggedOutput("counts", count_used(encoded.documents))
        for rejections in (repeated, *encoded.rejections):
            if rejections.num_rows:
                yield beam.pvalue.TaggedOutput("rejections", (unit, rejections))
