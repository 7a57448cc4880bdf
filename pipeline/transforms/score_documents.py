"""Documents -> predictions and rejections."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.config import EngineName
from pipeline.corpora.accounting import count_used
from pipeline.corpora.predictions import (
    PredictionContext,
    count_predictions,
    score_documents,
)
from pipeline.runs.files import Files
from pipeline.runs.models import shared_scorer


@dataclasses.dataclass
class ScoreDocuments(beam.PTransform):
    """Scores documents with one model.

    Returns four PCollections: `predictions` and `rejections`, of `(unit index,
    record batch)`; `documents`, `(documents, predictions)` pairs of batches; and
    `counts`.
    """

    model: str
    engine: EngineName
    context: PredictionContext
    files: Files

    def expand(self, documents: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Row-wise; batches keep their order."""
        score = _Score(self.model, self.engine, self.context, self.files)
        return documents | beam.ParDo(score).with_outputs(
            "documents", "rejections", "counts", main="predictions"
        )


@dataclasses.dataclass
class _Score(beam.DoFn):
    model: str
    engine: EngineName
    context: PredictionContext
    files: Files

    def setup(self) -> None:
        self._scorer = shared_scorer(self.files, self.model, engine=self.engine)

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[Any]:
        unit, documents = element
        for scored in score_documents(self._scorer, documents, context=self.context):
            if scored.documents.num_rows:
                yield unit, scored.predictions
                yield beam.pvalue.TaggedOutput("documents", (scored.documents, scored.predictions))
            yield beam.pvalue.TaggedOutput("counts", count_used(scored.documents))
            yield beam.pvalue.TaggedOutput("counts", count_predictions(scored.predictions))
            for rejections in scored.rejections:
                yield beam.pvalue.TaggedOutput("rejections", (unit, rejections))
