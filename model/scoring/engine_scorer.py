"""The scorer that tokenizes texts itself and runs the network with an engine."""

import dataclasses

import numpy as np
import pyarrow as pa
from typing_extensions import override

from model.bundle.bundle import Bundle
from model.config import LongDocuments
from model.scoring.engines import Engine
from model.scoring.prediction_columns import assemble_predictions
from model.scoring.scorer import Scorer
from model.text.cutting import mark_kept
from model.text.tokenizer import Tokenizer
from model.text.windows import cut_windows, join_windows
from model.wide.documents import read_whole_documents


class EngineScorer(Scorer):
    """Tokenizes texts and runs an engine over their ids.

    Args:
        bundle: the model.
        engine: runs its network.
        long_documents: how documents of more than `max_tokens` tokens are read: `truncate`
            cuts them, `windows` reads them whole, in windows (`model.text.windows`).
    """

    def __init__(
        self, bundle: Bundle, engine: Engine, *, long_documents: LongDocuments = "truncate"
    ) -> None:
        super().__init__(bundle)
        self._tokenizer = Tokenizer(bundle.config.text)
        self._engine = engine
        self._long_documents = long_documents
        self._wide = bundle.read_wide_part()

    @override
    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        tokens = self._tokenizer.tokenize(texts)
        scored = tokens.counts() > 0
        if not scored.all():
            texts = texts.filter(pa.array(scored))
            row_offsets = np.concatenate([[0], tokens.row_offsets[1:][scored]])
            tokens = dataclasses.replace(tokens, row_offsets=row_offsets)
        vocabulary = self.bundle.vocabulary
        whole = None if self._wide is None else read_whole_documents(tokens, vocabulary)
        if self._long_documents == "truncate":
            text_config = self.bundle.config.text
            tokens, truncated = tokens.cut(text_config.max_tokens, text_config.cut)
        else:
            truncated = np.zeros(len(texts), np.int32)
        ids = vocabulary.encode(tokens) if whole is None or truncated.any() else whole.ids
        probabilities, attention = self._run(ids, tokens.row_offsets)
        contributions = None
        if self._wide is not None and whole is not None:
            weighed = self._wide.weigh(whole)
            probabilities = self._wide.combine(probabilities, self._wide.sum_logits(weighed))
            contributions = self._wide.contributions(weighed, probabilities.argmax(axis=1))
            if truncated.any():
                kept = mark_kept(tokens.counts(), truncated, self.bundle.config.text.cut)
                contributions = contributions.keep(kept, whole.row_offsets)
        batch = assemble_predictions(
            texts,
            labels=self.bundle.labels,
            probabilities=probabilities,
            row_offsets=tokens.row_offsets,
            tokens=tokens.surfaces().values,
            starts=tokens.starts,
            ends=tokens.ends,
            attention=attention,
            contributions=contributions,
            truncated=truncated,
            oov_tokens=vocabulary.count_oov(ids, tokens.row_offsets),
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
