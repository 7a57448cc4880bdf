"""Compares the ids that a model is trained on with those that it scores, for the same texts."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.config import ModelConfig
from model.scoring.engine_scorer import EngineScorer
from model.text.vocabulary import Vocabulary
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import read_lines
from pipeline.training.trial_config import ResolvedConfig, resolve_config
from tests.pipeline.examples import read_example, read_records


class RecordingEngine:
    """An engine that records the ids it gets and returns equal probabilities for every document."""

    def __init__(self, labels: int) -> None:
        self._labels = labels
        self.rows: list[np.ndarray] = []

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.rows += np.split(ids, row_offsets[1:-1])
        rows = len(row_offsets) - 1
        lengths = np.diff(row_offsets)
        even = np.full((rows, self._labels), 1 / self._labels, np.float32)
        return even, np.repeat(1 / lengths, lengths).astype(np.float32)


def scored_ids(dataset: Dataset, config: ResolvedConfig, texts: list[str]) -> list[bytes]:
    """The ids that an engine gets for each text, padded, as the bytes of int64."""
    tokens = read_lines(BeamFiles(), dataset.files.vocabulary)
    network = dataclasses.replace(config.network, wide=None)  # nothing is trained
    bundle = Bundle(
        folder=Path(),
        config=ModelConfig(text=config.text, network=network, training=config.training),
        vocabulary=Vocabulary(tokens, oov_buckets=config.text.oov_buckets),
        labels=dataset.labels,
        manifest={},
    )
    engine = RecordingEngine(len(dataset.labels))
    _, scored = EngineScorer(bundle, engine).score(pa.array(texts, pa.string()))
    assert scored.all()
    padded = np.zeros((len(texts), config.text.max_tokens), np.int64)
    for row, ids in zip(padded, engine.rows, strict=True):
        row[: len(ids)] = ids
    return [row.tobytes() for row in padded]


def assert_same_ids(dataset: Dataset, config: Config, texts: Mapping[str, str]) -> None:
    """Asserts that every text, by document id, has the same ids in training and in scoring."""
    resolved = resolve_config(config, dataset, documents=dataset.rows("train"))
    scored = dict(zip(texts, scored_ids(dataset, resolved, list(texts.values())), strict=True))
    seen = set()
    for split in ("train", "validation", "test"):
        for path in dataset.shards(split):
            for record in read_records(path):
                example = read_example(record)
                document_id = example["document_id"][0].decode()
                if document_id in scored:
                    seen.add(document_id)
                    ids = np.array(example["token_ids"], np.int64).tobytes()
                    assert ids == scored[document_id], texts[document_id]
    assert seen == set(texts)
