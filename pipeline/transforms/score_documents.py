"""Documents -> predictions and rejections."""

import dataclasses
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows

from pipeline.config.sections import ScoringConfig
from pipeline.corpora.reading.accounting import count_used
from pipeline.corpora.reading.early_stop import watch
from pipeline.corpora.scoring.abstaining import count_abstained
from pipeline.corpora.scoring.prediction_counts import count_predictions, filter_by_score
from pipeline.corpora.scoring.predictions import PredictionContext
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.elements import Counts, UnitBatch
from pipeline.nights.reusable_partition import ReusablePartition
from pipeline.nights.reusable_rows import shared_reusable_rows
from pipeline.nights.reuse_counts import count_reuse
from pipeline.nights.reuse_rows import reuse_rows
from pipeline.storage.files import Files

# While one thread tokenizes a batch or builds its lists, the network computes another batch.
BATCHES_AT_ONCE = 2


@dataclasses.dataclass
class ScoreDocuments(beam.PTransform):
    """Scores documents with a model, and with the further models that `config` names.

    Returns four PCollections: `predictions` and `rejections`, of `(unit index, record batch)`;
    `documents`, of `(documents, predictions)` pairs of batches; and `counts`. Predictions below
    `config.min_score` are in `documents` and `counts` only. The predictions of unchanged documents
    are copied from `reusable`, and come before those of the other documents of the batch.
    """

    model: str
    config: ScoringConfig
    run_id: str
    files: Files
    reusable: ReusablePartition | None = None

    def expand(self, documents: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Takes `(unit index, record batch)`; scores each batch separately, in order."""
        score = _Score(self.model, self.config, self.run_id, self.files, self.reusable)
        return documents | (
            beam.ParDo(score)
            .with_output_types(
                UnitBatch,
                documents=tuple[pa.RecordBatch, pa.RecordBatch],
                rejections=UnitBatch,
                counts=Counts,
            )
            .with_outputs("documents", "rejections", "counts", main="predictions")
        )


@dataclasses.dataclass
class _Score(beam.DoFn):
    model: str
    config: ScoringConfig
    run_id: str
    files: Files
    reusable: ReusablePartition | None

    def setup(self) -> None:
        models = [self.model, *self.config.further_models]
        scorers = shared_scorers(self.files, models, self.config)
        self._scorer = scorers[0]
        self._context = PredictionContext.of_run(self.run_id, scorers, self.config)
        self._reusable = (
            None if self.reusable is None else shared_reusable_rows(self.files, self.reusable)
        )

    def start_bundle(self) -> None:
        self._threads = ThreadPoolExecutor(BATCHES_AT_ONCE, thread_name_prefix="score")
        self._pending: deque[Future[list[Any]]] = deque()

    def process(self, element: UnitBatch) -> Iterator[Any]:
        self._pending.append(self._threads.submit(self._collect, *element))
        while len(self._pending) > BATCHES_AT_ONCE:
            yield from self._pending.popleft().result()

    def finish_bundle(self) -> Iterator[Any]:
        while self._pending:
            for output in self._pending.popleft().result():
                yield _in_global_window(output)
        self._threads.shutdown()

    def _collect(self, unit: int, documents: pa.RecordBatch) -> list[Any]:
        """The outputs of a batch, as a list: a generator would run on the caller's thread."""
        return list(self._outputs(unit, documents))

    def _outputs(self, unit: int, documents: pa.RecordBatch) -> Iterator[Any]:
        min_score = self.config.min_score
        results = []
        if self._reusable is not None:
            reused, documents, known = reuse_rows(
                self._reusable,
                documents,
                context=self._context,
                model_version=self._scorer.bundle.model_version,
            )
            results.append(reused)
            counts = count_reuse(reused=reused.documents.num_rows, known=known)
            yield beam.pvalue.TaggedOutput("counts", counts)
        if documents.num_rows:
            results += score_documents(self._scorer, documents, context=self._context)
        for scored in results:
            if scored.documents.num_rows:
                yield unit, filter_by_score(scored.predictions, min_score)
                yield beam.pvalue.TaggedOutput("documents", (scored.documents, scored.predictions))
            yield beam.pvalue.TaggedOutput("counts", count_used(scored.documents))
            yield beam.pvalue.TaggedOutput(
                "counts", count_predictions(scored.predictions, min_score=min_score)
            )
            if self.config.max_unknown is not None:
                counts = {"abstained": count_abstained(scored.predictions)}
                yield beam.pvalue.TaggedOutput("counts", counts)
            for rejections in scored.rejections:
                watch.note(unit, rejections=rejections)
                yield beam.pvalue.TaggedOutput("rejections", (unit, rejections))


def _in_global_window(output: Any) -> Any:
    """Puts an output into the global window, as Beam requires of `finish_bundle`."""
    if isinstance(output, beam.pvalue.TaggedOutput):
        return beam.pvalue.TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
    return GlobalWindows.windowed_value(output)
