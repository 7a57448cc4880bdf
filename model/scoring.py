"""Scorer: texts in, predictions out, with attention traceable to the text.

Everything between is columnar: tokens, ids, probabilities and attention are
flat arrays with row offsets, and the Arrow lists are made over them without a
Python object a token.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa

from model.bundle import Bundle, BundleError, Golden
from model.config import EngineName
from model.tokenizer import Tokenizer, Tokens

# The largest difference to what training saw that a scorer may show.
GOLDEN_TOLERANCE = 1e-4


class Engine(Protocol):
    """Runs a network over documents given as flat token ids."""

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns probabilities `(rows, labels)` and attention `(tokens,)`, both float32."""


class Scorer:
    """Scores texts with one model on one engine; safe to share between threads."""

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        """Joins a model and an engine that runs its network; see `load_scorer`."""
        self.bundle = bundle
        self.tokenizer = Tokenizer(bundle.config.text)
        self._engine = engine

    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        """Scores a column of texts.

        Args:
            texts: no nulls.

        Returns:
            `(predictions, scored)`: a batch with the columns from `label` to
            `text_sha256` of a predictions row, one row for each text that has a
            token; and bool `(len(texts),)`, False where a text has none.
        """
        tokens = self.tokenizer.tokenize(texts)
        scored = tokens.counts() > 0
        if not scored.all():
            texts = texts.filter(pa.array(scored))
            tokens = self.tokenizer.tokenize(texts)
        text_config = self.bundle.config.text
        kept, truncated = tokens.cut(text_config.max_tokens, text_config.cut)
        ids = self.bundle.vocabulary.encode(kept)
        if len(texts):
            probabilities, attention = self._engine.run(ids, kept.row_offsets)
        else:
            probabilities = np.empty((0, len(self.bundle.labels)), np.float32)
            attention = np.empty(0, np.float32)
        batch = self._assemble(
            texts,
            kept,
            probabilities=probabilities,
            attention=attention,
            truncated=truncated,
            oov_tokens=self.bundle.vocabulary.count_oov(ids, kept.row_offsets),
        )
        return batch, scored

    def golden(self, texts: list[str]) -> list[Golden]:
        """Scores texts into golden documents; texts without a token are left out."""
        batch, scored = self.score(pa.array(texts, pa.string()))
        kept = [text for text, use in zip(texts, scored, strict=True) if use]
        return [
            Golden(text=text, probabilities=probabilities, attention=attention)
            for text, probabilities, attention in zip(
                kept,
                batch.column("probabilities").to_pylist(),
                batch.column("attention").to_pylist(),
                strict=True,
            )
        ]

    def _assemble(
        self,
        texts: pa.StringArray,
        tokens: Tokens,
        *,
        probabilities: np.ndarray,
        attention: np.ndarray,
        truncated: np.ndarray,
        oov_tokens: np.ndarray,
    ) -> pa.RecordBatch:
        best = probabilities.argmax(axis=1).astype(np.int32)
        offsets = pa.array(tokens.row_offsets.astype(np.int32))
        rows = len(texts)
        labels_offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * probabilities.shape[1])
        return pa.record_batch(
            {
                "label": pa.array(self.bundle.labels, pa.string()).take(pa.array(best)),
                "label_index": pa.array(best),
                "score": pa.array(probabilities[np.arange(rows), best]),
                "probabilities": pa.ListArray.from_arrays(
                    labels_offsets, pa.array(probabilities.ravel())
                ),
                "tokens": tokens.surfaces(),
                "token_starts": pa.ListArray.from_arrays(offsets, pa.array(tokens.starts)),
                "token_ends": pa.ListArray.from_arrays(offsets, pa.array(tokens.ends)),
                "attention": pa.ListArray.from_arrays(offsets, pa.array(attention)),
                "token_count": pa.array(tokens.counts().astype(np.int32)),
                "truncated_tokens": pa.array(truncated.astype(np.int32)),
                "oov_tokens": pa.array(oov_tokens.astype(np.int32)),
                "text_sha256": digest_texts(texts),
            }
        )


def load_scorer(
    bundle: Bundle, *, engine: EngineName = "auto", threads: int | None = None
) -> Scorer:
    """Prepares an engine and rescores the golden documents on this machine.

    Args:
        bundle: the model.
        engine: which runs the network.
        threads: of the folded engine; None uses every core of the process.

    Raises:
        BundleError: if a golden document differs by more than 1e-4 from what
            training saw.
    """
    name = choose_engine(engine)
    scorer = Scorer(bundle, _make_engine(bundle, name=name, threads=threads))
    verify_golden(scorer, bundle.golden(), engine=name)
    return scorer


def verify_golden(scorer: Scorer, golden: Sequence[Golden], *, engine: str) -> None:
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


def choose_engine(engine: EngineName) -> Literal["keras", "folded"]:
    """The engine that `auto` stands for on this machine: folded on a CPU, keras on a GPU."""
    if engine != "auto":
        return engine
    import tensorflow as tf

    return "keras" if tf.config.list_physical_devices("GPU") else "folded"


def _make_engine(bundle: Bundle, *, name: str, threads: int | None) -> Engine:
    # Imported here: a process that scores with one engine should not wait for another's.
    network = bundle.build_network()
    if name == "keras":
        from model.keras_engine import KerasEngine

        return KerasEngine(network)
    from model.folded import FoldedEngine

    return FoldedEngine(network, bundle.config.network, threads=threads)
