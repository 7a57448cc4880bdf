"""Documents -> serialized examples, rejections and counts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.config import ResolvedTextConfig
from model.text.cutting import mark_kept
from model.text.padding import pad_ids
from model.text.tokenizer import Tokenizer, Tokens
from model.text.tokenizer_kernel import copy_slices
from model.text.vocabulary import Vocabulary
from model.training.example_encoding import encode_examples
from model.training.examples import MAX_CUT_TOKENS, UnknownTokens
from pipeline.config.inputs import SPLITS
from pipeline.corpora.preparing.rationales import mark_tokens
from pipeline.corpora.preparing.scripts import main_scripts
from pipeline.corpora.reading.counts import count_values
from pipeline.corpora.reading.rejections import reject_documents, reject_without_tokens


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodedBatch:
    """The result of encoding one record batch.

    Attributes:
        examples: serialized `tf.train.Example`s by split, in row order.
        documents: the documents that became examples.
        rejections: batches of the rows without a known label or without a token.
        counts: nested counts for `summarize_dataset`.
    """

    examples: dict[str, list[bytes]]
    documents: pa.RecordBatch
    rejections: list[pa.RecordBatch]
    counts: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleLayout:
    """The optional features of a dataset's examples, and whether its label is multi-hot."""

    multilabel: bool = False
    weight: bool = False
    rationale: bool = False


class DocumentEncoder:
    """Encodes record batches of documents with one vocabulary and one list of labels."""

    def __init__(
        self,
        text: ResolvedTextConfig,
        *,
        vocabulary: Vocabulary,
        labels: Sequence[str],
        layout: ExampleLayout,
    ) -> None:
        """Builds the tokenizer; `labels` are the labels of the dataset, by index."""
        self.text = text
        self.tokenizer = Tokenizer(text)
        self.vocabulary = vocabulary
        self.labels = pa.array(labels, pa.string())
        self.layout = layout

    def encode(self, documents: pa.RecordBatch) -> EncodedBatch:
        """Encodes documents; each must have a split."""
        known = self._knows_labels(documents)
        tokens = self.tokenizer.tokenize(documents.column("text"))
        has_tokens = tokens.counts() > 0
        rejections = []
        if not known.all():
            details = _describe_labels(documents, multilabel=self.layout.multilabel)
            rejections.append(
                reject_documents(documents, ~known, reason="unknown_label", detail=details)
            )
        tokenless = known & ~has_tokens
        if tokenless.any():
            rejections.append(reject_without_tokens(documents, tokenless))
        used = known & has_tokens
        if not used.all():
            documents = documents.filter(pa.array(used))
            tokens = self.tokenizer.tokenize(documents.column("text"))
        kept, truncated = tokens.cut(self.text.max_tokens, self.text.cut)
        ids = self.vocabulary.encode(tokens)
        is_kept = mark_kept(kept.counts(), truncated, self.text.cut)
        beyond = self._beyond_the_network(tokens, ids, is_kept=is_kept, dropped=truncated)
        ids = ids[is_kept]
        return EncodedBatch(
            examples=self._serialize(documents, kept, ids, beyond),
            documents=documents,
            rejections=rejections,
            counts=self._count(documents, tokens=tokens, ids=ids, kept=kept, truncated=truncated),
        )

    def _knows_labels(self, documents: pa.RecordBatch) -> np.ndarray:
        """Whether the dataset has every label of a document, bool `(rows,)`."""
        if not self.layout.multilabel:
            known = pc.is_in(documents.column("label"), value_set=self.labels)
            return known.to_numpy(zero_copy_only=False)
        column = documents.column("labels")
        known = np.asarray(column.is_valid())
        unknown = pc.invert(pc.is_in(column.flatten(), value_set=self.labels))
        known[column.value_parent_indices().filter(unknown).to_numpy()] = False
        return known

    def _label_indices(self, documents: pa.RecordBatch) -> np.ndarray:
        """The labels as int64 `(rows,)` indices, or multi-hot `(rows, labels)`."""
        if not self.layout.multilabel:
            return pc.index_in(documents.column("label"), self.labels).to_numpy().astype(np.int64)
        column = documents.column("labels")
        multi_hot = np.zeros((documents.num_rows, len(self.labels)), np.int64)
        multi_hot[
            column.value_parent_indices().to_numpy(),
            pc.index_in(column.flatten(), self.labels).to_numpy(),
        ] = 1
        return multi_hot

    def _beyond_the_network(
        self, tokens: Tokens, ids: np.ndarray, *, is_kept: np.ndarray, dropped: np.ndarray
    ) -> "_BeyondTheNetwork":
        """The tokens that the network does not read, or of which it reads only a shared id.

        Args:
            tokens: of the whole documents.
            ids: of these tokens.
            is_kept: whether each token is kept where its document is cut, bool.
            dropped: how many tokens each row loses, int `(rows,)`.
        """
        cut = np.flatnonzero(~is_kept)
        cut_offsets = _add_up(dropped)
        place = np.arange(len(cut)) - np.repeat(cut_offsets[:-1], dropped)  # in the row
        is_unknown = self.vocabulary.is_oov(ids)
        is_unknown[cut[place >= MAX_CUT_TOKENS]] = False
        before = np.concatenate([[0], np.cumsum(is_unknown)])
        unknown = np.flatnonzero(is_unknown)
        data, offsets = copy_slices(
            tokens.folded_bytes, tokens.folded_offsets[unknown], tokens.folded_offsets[unknown + 1]
        )
        return _BeyondTheNetwork(
            cut_ids=ids[cut[place < MAX_CUT_TOKENS]],
            cut_offsets=_add_up(np.minimum(dropped, MAX_CUT_TOKENS)),
            unknown=UnknownTokens(data=data, offsets=offsets.astype(np.int64)),
            unknown_offsets=before[tokens.row_offsets],
        )

    def _serialize(
        self, documents: pa.RecordBatch, kept: Tokens, ids: np.ndarray, beyond: "_BeyondTheNetwork"
    ) -> dict[str, list[bytes]]:
        width = self.text.max_tokens
        weights = rationales = None
        if self.layout.weight:
            weights = pc.fill_null(documents.column("weight"), 1.0).to_numpy()
        if self.layout.rationale:
            marked = mark_tokens(kept, documents.column("rationale"))
            rationales = pad_ids(marked, kept.row_offsets, max_tokens=width)
        serialized = encode_examples(
            token_ids=pad_ids(ids, kept.row_offsets, max_tokens=width),
            lengths=kept.counts(),
            labels=self._label_indices(documents),
            document_ids=documents.column("document_id").to_pylist(),
            weights=weights,
            rationales=rationales,
            cut_ids=beyond.cut_ids,
            cut_offsets=beyond.cut_offsets,
            unknown=beyond.unknown,
            unknown_offsets=beyond.unknown_offsets,
        )
        by_split: dict[str, list[bytes]] = {split: [] for split in SPLITS}
        for split, example in zip(documents.column("split").to_pylist(), serialized, strict=True):
            by_split[split].append(example)
        return {split: examples for split, examples in by_split.items() if examples}

    def _count(
        self,
        documents: pa.RecordBatch,
        *,
        tokens: Tokens,
        kept: Tokens,
        ids: np.ndarray,
        truncated: np.ndarray,
    ) -> dict[str, Any]:
        oov = self.vocabulary.count_oov(ids, kept.row_offsets)
        splits = np.asarray(documents.column("split").to_pylist(), dtype=object)
        scripts = main_scripts(documents.column("text"))
        counts: dict[str, Any] = {}
        for split in np.unique(splits):
            rows = splits == split
            chosen = documents.filter(pa.array(rows))
            labels = (
                chosen.column("labels").flatten()
                if self.layout.multilabel
                else chosen.column("label")
            )
            counts[str(split)] = {
                "documents": int(rows.sum()),
                "labels": count_values(labels),
                "scripts": count_values(pa.array(scripts[rows], pa.string())),
                "lengths": count_values(pa.array(tokens.counts()[rows])),
                "tokens": int(kept.counts()[rows].sum()),
                "oov_tokens": int(oov[rows].sum()),
                "truncated_documents": int((truncated[rows] > 0).sum()),
                "truncated_tokens": int(truncated[rows].sum()),
            }
        return {"splits": counts}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _BeyondTheNetwork:
    """What the examples of a batch hold besides what the network reads; see `Examples`."""

    cut_ids: np.ndarray
    cut_offsets: np.ndarray
    unknown: UnknownTokens
    unknown_offsets: np.ndarray


def _add_up(counts: np.ndarray) -> np.ndarray:
    """Where the values of each row begin, int64 `(rows + 1,)`."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _describe_labels(documents: pa.RecordBatch, *, multilabel: bool) -> pa.StringArray:
    """The detail of an `unknown_label` rejection, for each row of `documents`."""
    column = documents.column("labels" if multilabel else "label").to_pylist()
    return pa.array(
        [
            "expected a label, got none"
            if label is None
            else f"expected a label of the training split, got {label!r}"
            for label in column
        ],
        pa.string(),
    )
