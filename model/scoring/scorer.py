"""Scorer: texts in, predictions out, with attention traceable to the text.

Everything between is columnar: tokens, ids, probabilities and attention are
flat arrays with row offsets, and the Arrow lists are made over them without a
Python object a token.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.golden import GoldenDocument
from model.config import ConfigError, EngineName, LongDocuments
from model.text.tokenizer import Tokenizer
from model.text.windows import cut_windows, join_windows

# The largest difference to what training saw that a scorer may show.
GOLDEN_TOLERANCE = 1e-4

# Where the driver of an NVIDIA GPU shows: looking costs nothing, asking TensorFlow four seconds.
GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")


class Engine(Protocol):
    """Runs a network over documents given as flat token ids."""

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns probabilities `(rows, labels)` and attention `(tokens,)`, both float32."""


class Scorer:
    """Scores texts with one model; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        """Joins what all scorers have; see `load_scorer`."""
        self.bundle = bundle

    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        """Scores a column of texts.

        Args:
            texts: no nulls.

        Returns:
            `(predictions, scored)`: a batch with the columns from `label` to
            `text_sha256` of a predictions row, one row for each text that has a
            token; and bool `(len(texts),)`, False where a text has none.
        """
        raise NotImplementedError

    def golden(self, texts: list[str]) -> list[GoldenDocument]:
        """Scores texts into golden documents; texts without a token are left out."""
        batch, scored = self.score(pa.array(texts, pa.string()))
        kept = [text for text, use in zip(texts, scored, strict=True) if use]
        return [
            GoldenDocument(text=text, probabilities=probabilities, attention=attention)
            for text, probabilities, attention in zip(
                kept,
                batch.column("probabilities").to_pylist(),
                batch.column("attention").to_pylist(),
                strict=True,
            )
        ]


class EngineScorer(Scorer):
    """Tokenizes with the kernel and runs an engine."""

    def __init__(
        self, bundle: Bundle, engine: Engine, *, long_documents: LongDocuments = "truncate"
    ) -> None:
        """Joins a model and an engine that runs its network; see `load_scorer`.

        Args:
            bundle: the model.
            engine: runs its network.
            long_documents: what becomes of documents of more than `max_tokens`
                tokens; `windows` is `model.text.windows`.
        """
        super().__init__(bundle)
        self._tokenizer = Tokenizer(bundle.config.text)
        self._engine = engine
        self._long_documents = long_documents

    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        """See `Scorer`."""
        tokens = self._tokenizer.tokenize(texts)
        scored = tokens.counts() > 0
        if not scored.all():
            texts = texts.filter(pa.array(scored))
            row_offsets = np.concatenate([[0], tokens.row_offsets[1:][scored]])
            tokens = dataclasses.replace(tokens, row_offsets=row_offsets)
        if self._long_documents == "truncate":
            text_config = self.bundle.config.text
            tokens, truncated = tokens.cut(text_config.max_tokens, text_config.cut)
        else:
            truncated = np.zeros(len(texts), np.int32)
        ids = self.bundle.vocabulary.encode(tokens)
        probabilities, attention = self._run(ids, tokens.row_offsets)
        batch = assemble_predictions(
            texts,
            labels=self.bundle.labels,
            probabilities=probabilities,
            row_offsets=tokens.row_offsets,
            tokens=tokens.surfaces().values,
            starts=tokens.starts,
            ends=tokens.ends,
            attention=attention,
            truncated=truncated,
            oov_tokens=self.bundle.vocabulary.count_oov(ids, tokens.row_offsets),
        )
        return batch, scored

    def _run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        config = self.bundle.config
        if len(row_offsets) == 1:
            return np.empty((0, len(self.bundle.labels)), np.float32), np.empty(0, np.float32)
        if np.diff(row_offsets).max() <= config.text.max_tokens:
            return self._engine.run(ids, row_offsets)
        windows = cut_windows(row_offsets, max_tokens=config.text.max_tokens)
        probabilities, attention = self._engine.run(ids[windows.tokens], windows.row_offsets)
        exclusive = config.network.head != "multilabel"
        return join_windows(windows, probabilities, attention, exclusive=exclusive)


def assemble_predictions(
    texts: pa.StringArray,
    *,
    labels: Sequence[str],
    probabilities: np.ndarray,
    row_offsets: np.ndarray,
    tokens: pa.StringArray,
    starts: np.ndarray,
    ends: np.ndarray,
    attention: np.ndarray,
    truncated: np.ndarray,
    oov_tokens: np.ndarray,
) -> pa.RecordBatch:
    """The columns from `label` to `text_sha256` of predictions, over flat arrays.

    Args:
        texts: `rows` texts.
        labels: names, by index.
        probabilities: float32 `(rows, labels)`.
        row_offsets: `(rows + 1,)`, where each row's tokens begin.
        tokens: every token as written in its text.
        starts: int32 `(tokens,)`, in characters.
        ends: int32 `(tokens,)`, in characters.
        attention: float32 `(tokens,)`.
        truncated: int `(rows,)`, tokens that were cut.
        oov_tokens: int `(rows,)`, tokens that are not in the vocabulary.
    """
    rows = len(texts)
    best = probabilities.argmax(axis=1).astype(np.int32)
    offsets = pa.array(row_offsets.astype(np.int32))
    label_offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * len(labels))
    return pa.record_batch(
        {
            "label": pa.array(labels, pa.string()).take(pa.array(best)),
            "label_index": pa.array(best),
            "score": pa.array(probabilities[np.arange(rows), best]),
            "probabilities": pa.ListArray.from_arrays(
                label_offsets, pa.array(probabilities.ravel())
            ),
            "tokens": pa.ListArray.from_arrays(offsets, tokens),
            "token_starts": pa.ListArray.from_arrays(offsets, pa.array(starts)),
            "token_ends": pa.ListArray.from_arrays(offsets, pa.array(ends)),
            "attention": pa.ListArray.from_arrays(offsets, pa.array(attention)),
            "token_count": pa.array(np.diff(row_offsets).astype(np.int32)),
            "truncated_tokens": pa.array(truncated.astype(np.int32)),
            "oov_tokens": pa.array(oov_tokens.astype(np.int32)),
            "text_sha256": digest_texts(texts),
        }
    )


def load_scorer(
    bundle: Bundle,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    long_documents: LongDocuments = "truncate",
) -> Scorer:
    """Prepares an engine and rescores the golden documents on this machine.

    Args:
        bundle: the model.
        engine: which runs the network.
        threads: of the folded engine; None uses every core of the process.
        long_documents: what becomes of documents of more than `max_tokens` tokens.

    Raises:
        BundleError: if a golden document differs by more than 1e-4 from what
            training saw.
        ConfigError: if the engine cannot read documents in windows.
    """
    name = choose_engine(engine)
    if name == "tensorflow":
        scorer = _load_serving(bundle, long_documents=long_documents)
        verify_golden(scorer, bundle.read_golden(), engine=name)
        return scorer
    runs = _make_engine(bundle, name=name, threads=threads)
    # Golden documents were cut when the model was published.
    verify_golden(EngineScorer(bundle, runs), bundle.read_golden(), engine=name)
    return EngineScorer(bundle, runs, long_documents=long_documents)


def verify_golden(scorer: Scorer, golden: Sequence[GoldenDocument], *, engine: str) -> None:
    """Raises `BundleError` unless the scorer gives the golden documents what training saw."""
    if not golden:
        return
    batch, _ = scorer.score(pa.array([item.text for item in golden], pa.string()))
    for name in ("probabilities", "attention"):
        expected = np.concatenate([np.asarray(getattr(item, name)) for item in golden])
        got = batch.column(name).flatten().to_numpy()
        difference = np.abs(expected - got).max() if expected.shape == got.shape else np.inf
        if not difference <= GOLDEN_TOLERANCE:
            raise BundleError(
                f"{scorer.bundle.folder}: expected the golden documents' {name} within "
                f"{GOLDEN_TOLERANCE:g}, got a difference of {difference:g} with the {engine} "
                "engine. Do not trust this model on this machine; train it again or try "
                "--set scoring.engine=keras."
            )


def digest_texts(texts: pa.StringArray) -> pa.StringArray:
    """SHA-256 of each text's UTF-8 bytes, hexadecimal."""
    return pa.array([hashlib.sha256(text.as_buffer()).hexdigest() for text in texts], pa.string())


def choose_engine(engine: EngineName) -> EngineName:
    """The engine that `auto` stands for on this machine: folded on a CPU, keras on a GPU."""
    if engine != "auto":
        return engine
    if not any(Path(device).exists() for device in GPU_DEVICES):
        return "folded"
    import tensorflow as tf

    return "keras" if tf.config.list_physical_devices("GPU") else "folded"


def _load_serving(bundle: Bundle, *, long_documents: LongDocuments) -> Scorer:
    if long_documents != "truncate":
        raise ConfigError(
            "scoring.engine: expected folded, keras or auto for scoring.long_documents: "
            "windows, got tensorflow, whose graph cuts documents. Choose another engine."
        )
    # Imported here: a process that scores with one engine should not wait for another's.
    from model.scoring.serving import ServingScorer

    return ServingScorer(bundle)


def _make_engine(bundle: Bundle, *, name: EngineName, threads: int | None) -> Engine:
    if name == "keras":
        from model.scoring.keras_engine import KerasEngine

        return KerasEngine(bundle.build_network())
    from model.folded.engine import FoldedEngine

    return FoldedEngine(bundle.read_weights(), bundle.config.network, threads=threads)
