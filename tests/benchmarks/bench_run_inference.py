"""What Beam's RunInference costs over a plain DoFn that calls the same scorer.

    export CORPORA=...      # the folder that holds imdb/; without it texts are made up
    python -m tests.benchmarks.bench_run_inference [--documents 10000] [--rounds 5]

Both pipelines take the same record batches of documents from memory, score them with one model
that the process shares, and keep the number of rows. They take turns; compared are medians of
the whole pipeline less that of one over a single document, which is the fixed cost of the runner.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference

from model.scoring import Scorer
from pipeline.config import ScoringConfig
from pipeline.runs.models import shared_scorers
from pipeline.stages.filesystem import BeamFiles
from pipeline.transforms.record_batches import RecordBatchCoder  # noqa: F401 - registers it
from tests.benchmarks.bench_score import read_reviews, write_model

BATCH_ROWS = (256, 2_000)


class ScoreBatches(ModelHandler[pa.RecordBatch, PredictionResult, Scorer]):
    """A record batch is one example: RunInference's own batching is left out."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def load_model(self) -> Scorer:
        """The process's scorer."""
        return _scorer(self._model)

    def run_inference(
        self,
        batch: Sequence[pa.RecordBatch],
        model: Scorer,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[PredictionResult]:
        """Scores the batches that came together."""
        for documents in batch:
            yield PredictionResult(documents, model.score(documents.column("text"))[0])

    def batch_elements_kwargs(self) -> dict[str, int]:
        """One example at a time."""
        return {"min_batch_size": 1, "max_batch_size": 1}


class _Score(beam.DoFn):
    def __init__(self, model: str) -> None:
        self._model = model

    def setup(self) -> None:
        self._scorer = _scorer(self._model)

    def process(self, documents: pa.RecordBatch) -> Iterator[PredictionResult]:
        yield PredictionResult(documents, self._scorer.score(documents.column("text"))[0])


def _scorer(model: str) -> Scorer:
    return shared_scorers(BeamFiles(), [model], ScoringConfig())[0]


def _rows(result: PredictionResult) -> int:
    return int(result.inference.num_rows)


def seconds(scoring: Callable[[], beam.PTransform], batches: list[pa.RecordBatch]) -> float:
    """Wall time of a pipeline over batches."""
    started = time.perf_counter()
    with beam.Pipeline(runner="FnApiRunner") as root:
        documents = root | beam.Create(batches).with_output_types(pa.RecordBatch)
        documents | beam.Reshuffle() | scoring() | beam.Map(_rows) | beam.CombineGlobally(sum)
    return time.perf_counter() - started


def main() -> None:
    """Prints the cost at each size of batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parsed = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        texts = read_reviews(parsed.documents)
        write_model(Path(scratch), texts)
        model = str(Path(scratch) / "model")
        contenders: dict[str, Callable[[], beam.PTransform]] = {
            "DoFn": lambda: beam.ParDo(_Score(model)),
            "RunInference": lambda: RunInference(ScoreBatches(model)),
        }
        whole = pa.record_batch({"text": pa.array(texts)})
        for size in BATCH_ROWS:
            batches = [whole.slice(at, size) for at in range(0, whole.num_rows, size)]
            found: dict[str, list[float]] = {name: [] for name in contenders}
            fixed: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(parsed.rounds + 1):  # the first loads the model and the kernels
                for name, scoring in contenders.items():
                    fixed[name].append(seconds(scoring, [whole.slice(0, 1)]))
                    found[name].append(seconds(scoring, batches))
            took = {
                name: statistics.median(found[name][1:]) - statistics.median(fixed[name][1:])
                for name in contenders
            }
            starts = statistics.median(fixed["RunInference"][1:]) - statistics.median(
                fixed["DoFn"][1:]
            )
            print(
                f"{len(texts):,} documents in batches of {size:,}: DoFn {took['DoFn']:.2f} s, "
                f"RunInference {took['RunInference']:.2f} s "
                f"({took['RunInference'] / took['DoFn'] - 1:+.1%}), and {starts:+.2f} s a pipeline"
            )


if __name__ == "__main__":
    main()
