"""demo: generate a corpus, train on it, and score another one, in one folder."""

import contextlib
import dataclasses
import datetime
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from model.config import (
    AttentionConfig,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
)
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, Config, CorpusConfig
from pipeline.corpora.preparing.rationales import attention_on_rationales
from pipeline.demo.corpus import DemoCorpus, generate_demo_corpus
from pipeline.nights.partition import Partition
from pipeline.schemas import SPANS
from pipeline.stages.score import ScoringRun, score
from pipeline.stages.train import Trained, train
from pipeline.storage.files import Files, join

TRAINING_SEED, SCORING_SEED = 1, 2
SCORING_DOCUMENTS = 1_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoRun:
    """What the demo did.

    Attributes:
        output: the folder of everything.
        trained: the model.
        run: the scoring run.
        accuracy: the share of scored documents with the right label.
        attention_share: the mean share of attention on the words that decide the label.
        seconds: how long the whole demo took.
    """

    output: str
    trained: Trained
    run: ScoringRun
    accuracy: float
    attention_share: float
    seconds: float

    def summary(self) -> list[str]:
        """The lines that the command prints."""
        manifest = self.run.manifest
        rows = manifest["rows"]
        rejected = ", ".join(f"{count} {why}" for why, count in sorted(rows["rejected"].items()))
        dataset = self.trained.dataset
        trained = dataset.manifest["rows"]
        state = "reused, same fingerprint" if dataset.reused else "prepared"
        return [
            "",
            f"dataset      {dataset.files.folder} ({state})",
            f"model        {self.trained.folder}",
            f"predictions  {self.run.partition.predictions}",
            f"rejected     {self.run.partition.rejected}",
            f"report       {join(self.output, 'report.html')}",
            f"trained on   {trained['read']:,} rows read, {trained['used']:,} used, "
            f"{sum(trained['rejected'].values())} rejected",
            f"rows         {rows['read']:,} read, {rows['used']:,} scored, "
            f"{sum(rows['rejected'].values()):,} rejected ({rejected})",
            f"accuracy     {self.accuracy:.1%} on the scored corpus, which training never saw",
            f"attention    {self.attention_share:.1%} of it falls on the planted cues",
            f"speed        {manifest['documents_per_second']:,.0f} documents/s, read to written",
            f"time         {self.seconds:.0f} s for the whole job",
        ]


def demo(output: str, *, beam_options: Sequence[str], files: Files, command: str) -> DemoRun:
    """Generates two corpora, trains on one, scores the other.

    Raises:
        RunError: if a stage fails.
    """
    started = time.monotonic()
    folder = Path(output)
    generate_demo_corpus(folder / "corpus", seed=TRAINING_SEED)
    tonight = generate_demo_corpus(
        folder / "tonight", documents=SCORING_DOCUMENTS, seed=SCORING_SEED
    )
    config = demo_config(output)
    trained = train(config, beam_options=beam_options, files=files, command=command)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    run = score(
        demo_config(output, corpus="tonight"),
        model=trained.folder,
        partition=Partition(output=output, date=today),
        beam_options=beam_options,
        files=files,
    )
    with files.open(join(trained.folder, "report.html")) as page:
        (folder / "report.html").write_bytes(page.read())
    accuracy, share = judge_predictions(tonight, run.partition.predictions)
    return DemoRun(
        output=output,
        trained=trained,
        run=run,
        accuracy=accuracy,
        attention_share=share,
        seconds=time.monotonic() - started,
    )


def demo_config(output: str, *, corpus: str = "corpus") -> Config:
    """A small network that learns the generated corpus in a few epochs."""
    return Config(
        name="demo",
        workspace=output,
        corpus=CorpusConfig(
            inputs=(InputConfig(path=join(output, corpus, "*.jsonl")),),
            columns=ColumnsConfig(id="id", rationale="rationale"),
        ),
        text=TextConfig(max_tokens=100, vocabulary_size=5_000),
        # With few units and a high learning rate the LSTM carries a cue no further than the cue
        # itself, so the attention has to be there. Measured shares of attention on the cues:
        # 0.82, 0.74, 0.76 with three seeds.
        network=NetworkConfig(
            embedding=EmbeddingConfig(units=64),
            lstm=LSTMConfig(units=16),
            attention=AttentionConfig(kind="context", units=64),
            dropout=0.3,
        ),
        training=TrainingConfig(learning_rate=0.01, batch_size=32, epochs=6, patience=None),
    )


def judge_predictions(corpus: DemoCorpus, folder: str) -> tuple[float, float]:
    """Compares the predictions with the labels and cues that the generator planted.

    Returns:
        `(accuracy, attention_share)`: the share of documents with the right label, and
        the mean share of attention on the tokens of the planted cues.
    """
    predictions = pq.read_table(folder)
    planted = _read_planted(corpus)
    truth = [planted[document_id] for document_id in predictions.column("document_id").to_pylist()]
    right = [
        label == row["label"]
        for label, row in zip(predictions.column("label").to_pylist(), truth, strict=True)
    ]
    shares = attention_on_rationales(
        predictions.combine_chunks().to_batches()[0],
        pa.array([row["rationale"] for row in truth], SPANS),
    )
    return sum(right) / len(right), float(shares.mean())


def _read_planted(corpus: DemoCorpus) -> dict[str, dict[str, Any]]:
    """The generated rows by id, without those that are malformed on purpose."""
    planted = {}
    for path in corpus.paths:
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):  # a row that is malformed on purpose
                row = json.loads(line)
                if isinstance(row, dict):
                    planted[row["id"]] = row
    return planted
