"""A small demo job on any engine: prepare, train, score and evaluate by the command line."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.demo.corpus import generate_demo_corpus
from tests.end_to_end.commands import Finished, run

DATE = "2026-11-20"
TRAINING_DOCUMENTS, SCORING_DOCUMENTS = 600, 400
TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Where a job reads and writes, and the flags of its engine.

    Attributes:
        corpus: the folder of the corpora.
        folder: workspace and, below it, output.
        beam_options: Beam's flags.
        trained: the model that scores, where it is not the one that the job trained.
    """

    corpus: str
    folder: str
    beam_options: tuple[str, ...]
    trained: str | None = None

    def run(self, *arguments: str) -> Finished:
        """Runs one command on the engine and asserts that it succeeds."""
        finished = run(*arguments, "--", *self.beam_options)
        assert finished.code == 0, finished.err[-4_000:]
        return finished

    @property
    def model(self) -> str:
        return self.trained or f"{self.folder}/models/demo/1"

    @property
    def predictions(self) -> str:
        return f"{self.folder}/out/predictions/dt={DATE}"

    def configure(self, local: Path) -> str:
        """Writes the config of the job; returns its path."""
        config = local / "demo.yaml"
        values = {
            "workspace": self.folder,
            "corpus": {
                "inputs": [{"path": f"{self.corpus}/training/*.jsonl"}],
                "columns": {"id": "id", "rationale": "rationale"},
            },
            "text": {"max_tokens": "auto", "vocabulary_size": 2_000},
            "network": {"embedding": {"units": 16}, "lstm": {"units": 8}},
            "training": {"epochs": 1, "learning_rate": 0.01, "batch_size": 32},
        }
        config.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
        return str(config)

    def train(self, config: str, *flags: str) -> None:
        """Prepares and trains, both on the engine."""
        finished = self.run("train", "--config", config, *flags)
        assert "prepared" in finished.out

    def score(self, *flags: str) -> None:
        """Scores a corpus that training never saw."""
        finished = self.run("score", *self.scoring(), *flags)
        assert f"{SCORING_DOCUMENTS:,} read" in finished.out

    def evaluate(self, local: Path, *flags: str) -> dict[str, Any]:
        """Evaluates on the corpus that was scored, which is labeled; returns the metrics."""
        metrics = local / "metrics.json"
        corpus = ("--model", self.model, "--input", f"{self.corpus}/tonight/*.jsonl")
        workspace = ("--set", f"workspace={self.folder}")
        self.run("evaluate", *corpus, *workspace, "--output", str(metrics), *flags)
        read: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
        return read

    def scoring(self) -> list[str]:
        """The flags of `score`."""
        return [
            *("--model", self.model, "--input", f"{self.corpus}/tonight/*.jsonl"),
            *("--output", f"{self.folder}/out", "--date", DATE),
        ]


def generate_corpora(folder: Path) -> str:
    """Generates the corpora of a job: one to train on, one to score."""
    generate_demo_corpus(folder / "training", documents=TRAINING_DOCUMENTS, seed=1)
    generate_demo_corpus(folder / "tonight", documents=SCORING_DOCUMENTS, seed=2)
    return str(folder)


def read_predictions(folder: str | Path) -> list[dict[str, Any]]:
    """The rows of a published partition, by document."""
    names = sorted(Path(folder).glob("part-*.parquet"))
    success = json.loads((Path(folder) / "_SUCCESS").read_text(encoding="utf-8"))
    assert [name.name for name in names] == sorted(file["file"] for file in success["files"])
    table = pa.concat_tables([pq.read_table(name) for name in names])
    assert table.num_rows == success["rows"]
    rows: list[dict[str, Any]] = table.sort_by("document_id").to_pylist()
    return rows


def assert_same_predictions(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Asserts row by row that numbers agree within the tolerance and all else is equal."""
    assert len(found) == len(expected) > 0
    numbers = ("score", "probabilities", "attention", "contributions", "contributions_rest")
    for row, wanted in zip(found, expected, strict=True):
        for name in wanted.keys() - {"run_id"}:
            if name in numbers:
                np.testing.assert_allclose(row[name], wanted[name], rtol=0, atol=TOLERANCE)
            else:
                assert row[name] == wanted[name], (wanted["document_id"], name)
