"""The time of Beam's RunInference, of a plain DoFn, and of `ScoreDocuments`, on the same scorer.

    export CORPORA=...      # the folder that holds imdb/; without it texts are made up
    python -m tests.benchmarks.bench_run_inference [--documents 10000] [--rounds 5]

All pipelines read the same record batches of documents from a memory-mapped file, score them with
one model that the process shares, and keep only the number of rows. They take turns. The table
shows the median time of the whole pipeline less that of a pipeline over a single document, which
is the fixed cost of the runner. `ScoreDocuments` is the transform of the command `score`: it works
on two batches at once, and also shapes, counts and checks the rows.
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
from apache_beam.ml.inference.base import ModelHandler, RunInference

from model.scoring.scorer import Scorer
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig, ScoringConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.elements import UnitBatch
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.score_documents import ScoreDocuments
from tests.benchmarks.review_models import write_review_model
from tests.benchmarks.reviews import read_reviews, write_reviews

BATCH_ROWS = (256, 2_000)


class ScoreBatches(ModelHandler[pa.RecordBatch, int, Scorer]):
    """Each record batch is one example, so RunInference's own batching does nothing."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def load_model(self) -> Scorer:
        """Returns the scorer that the process shares."""
        return _scorer(self._model)

    def run_inference(
        self,
        batch: Sequence[pa.RecordBatch],
        model: Scorer,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[int]:
        """Yields how many rows of each batch were scored."""
        for documents in batch:
            yield model.score(documents.column("text"))[0].num_rows

    def batch_elements_kwargs(self) -> dict[str, int]:
        """Asks for one example at a time."""
        return {"min_batch_size": 1, "max_batch_size": 1}


class _Score(beam.DoFn):
    def __init__(self, model: str) -> None:
        self._model = model

    def setup(self) -> None:
        self._scorer = _scorer(self._model)

    def process(self, documents: pa.RecordBatch) -> Iterator[int]:
        yield self._scorer.score(documents.column("text"))[0].num_rows


class _ScoreDocuments(beam.PTransform):
    def __init__(self, model: str) -> None:
        super().__init__()
        self._scoring = ScoreDocuments(model, ScoringConfig(), "bench", BeamFiles())

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        numbered = batches | beam.Map(_number).with_output_types(UnitBatch)
        return (numbered | self._scoring).predictions | beam.Map(_rows)


def _scorer(model: str) -> Scorer:
    return shared_scorers(BeamFiles(), [model], ScoringConfig())[0]


def _number(batch: pa.RecordBatch) -> UnitBatch:
    return 0, batch


def _rows(element: UnitBatch) -> int:
    return int(element[1].num_rows)


def write_batches(corpus: Path, path: Path, *, rows: int) -> int:
    """Writes the documents of a corpus as batches of an Arrow file; returns how many batches."""
    source = InputConfig(path=str(corpus))
    part = FilePart(path=str(corpus), source_file=corpus.name, input=source)
    with corpus.open("rb") as stream:
        read = read_part(stream, part, corpus=CorpusConfig(inputs=(source,)), batch_rows=rows)
        batches = [batch.documents for batch in read]
    with pa.ipc.new_file(str(path), batches[0].schema) as sink:
        for batch in batches:
            sink.write_batch(batch)
    return len(batches)


def _take(number: int, path: str, rows: int | None) -> pa.RecordBatch:
    """A batch of the file, or its first rows."""
    batch = pa.ipc.open_file(pa.memory_map(path)).get_batch(number)
    return batch.slice(0, rows) if rows else batch


def seconds(scoring: beam.PTransform, path: Path, batches: int, rows: int | None = None) -> float:
    """Wall time of a pipeline over batches."""
    started = time.perf_counter()
    with beam.Pipeline(runner="FnApiRunner") as root:
        numbers = root | beam.Create(range(batches)) | beam.Reshuffle()
        taken = numbers | beam.Map(_take, str(path), rows).with_output_types(pa.RecordBatch)
        taken | scoring | beam.CombineGlobally(sum)
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
        model = write_review_model(Path(scratch) / "model", texts)
        write_reviews(Path(scratch) / "corpus.jsonl", texts, documents=len(texts))
        contenders: dict[str, Callable[[], beam.PTransform]] = {
            "DoFn": lambda: beam.ParDo(_Score(model)),
            "RunInference": lambda: RunInference(ScoreBatches(model)),
            "ScoreDocuments": lambda: _ScoreDocuments(model),
        }
        for size in BATCH_ROWS:
            path = Path(scratch) / f"batches-{size}.arrow"
            batches = write_batches(Path(scratch) / "corpus.jsonl", path, rows=size)
            found: dict[str, list[float]] = {name: [] for name in contenders}
            fixed: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(parsed.rounds + 1):  # the first loads the model and the kernels
                for name, scoring in contenders.items():
                    fixed[name].append(seconds(scoring(), path, 1, 1))
                    found[name].append(seconds(scoring(), path, batches))
            print(f"{len(texts):,} documents in batches of {size:,}")
            plain = 0.0
            for name in contenders:
                start = statistics.median(fixed[name][1:])
                took = statistics.median(found[name][1:]) - start
                plain = plain or took
                print(f"  {name:<16}{took:6.2f} s ({took / plain - 1:+.1%}), start {start:.2f} s")


if __name__ == "__main__":
    main()
