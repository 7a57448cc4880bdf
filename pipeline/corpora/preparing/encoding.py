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
from model.training.targets import NO_LABEL
from pipeline.config.inputs import SPLITS, UNLABELED
from pipeline.corpora.preparing.rationales import mark_tokens
from pipeline.corpora.preparing.scripts import main_scripts
from pipeline.corpora.preparing.soft_labels import (
    SoftLabels,
    describe_malformed,
    describe_unknown,
    place_soft_labels,
)
from pipeline.corpora.reading.counts import count_values
from pipeline.corpora.reading.rejections import reject_documents, reject_without_tokens
from pipeline.schemas import RejectionReason


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
    probabilities: bool = False
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
        soft_labels = None
        if self.layout.probabilities:
            soft_labels = place_soft_labels(
                documents.column("soft_labels"), self.labels, exclusive=not self.layout.multilabel
            )
        rejections, used = self._reject_labels(documents, soft_labels)
        tokens = self.tokenizer.tokenize(documents.column("text"))
        tokenless = used & (tokens.counts() == 0)
        if tokenless.any():
            rejections.append(reject_without_tokens(documents, tokenless))
            used &= ~tokenless
        if not used.all():
            documents = documents.filter(pa.array(used))
            tokens = self.tokenizer.tokenize(documents.column("text"))
        probabilities = None if soft_labels is None else soft_labels.probabilities[used]
        kept, truncated = tokens.cut(self.text.max_tokens, self.text.cut)
        ids = self.vocabulary.encode(tokens)
        is_kept = mark_kept(kept.counts(), truncated, self.text.cut)
        beyond = self._beyond_the_network(tokens, ids, is_kept=is_kept, dropped=truncated)
        ids = ids[is_kept]
        return EncodedBatch(
            examples=self._serialize(documents, kept, ids, beyond, probabilities),
            documents=documents,
            rejections=rejections,
            counts=self._count(documents, tokens=tokens, ids=ids, kept=kept, truncated=truncated),
        )

    def _reject_labels(
        self, documents: pa.RecordBatch, soft_labels: SoftLabels | None
    ) -> tuple[list[pa.RecordBatch], np.ndarray]:
        """The rejections for hard and soft labels, and which documents are left, bool `(rows,)`."""
        known = self._knows_labels(documents) | _is_unlabeled(documents)
        if soft_labels is not None:
            has_none = np.asarray(documents.column(self._label_column).is_null())
            known |= soft_labels.given & has_none
        rejections = []
        if not known.all():
            column = documents.column(self._label_column)
            details = _describe_labels(column)
            broken = ~known & _has_line_end(column)
            reasons: list[tuple[RejectionReason, np.ndarray]] = [
                ("unknown_label", ~known & ~broken),
                ("malformed_row", broken),
            ]
            rejections += [
                reject_documents(documents, rejected, reason=reason, detail=details)
                for reason, rejected in reasons
                if rejected.any()
            ]
        if soft_labels is None:
            return rejections, known
        column = documents.column("soft_labels")
        unknown = known & soft_labels.unknown
        if unknown.any():
            details = describe_unknown(column, self.labels)
            rejections.append(
                reject_documents(documents, unknown, reason="unknown_label", detail=details)
            )
        malformed = known & ~unknown & soft_labels.malformed
        if malformed.any():
            details = describe_malformed(column, self.labels)
            rejections.append(
                reject_documents(documents, malformed, reason="malformed_row", detail=details)
            )
        return rejections, known & ~unknown & ~malformed

    @property
    def _label_column(self) -> str:
        return "labels" if self.layout.multilabel else "label"

    def _knows_labels(self, documents: pa.RecordBatch) -> np.ndarray:
        """Whether a document has a hard label and the dataset has all of them, bool `(rows,)`."""
        if not self.layout.multilabel:
            known = pc.is_in(documents.column("label"), value_set=self.labels)
            return known.to_numpy(zero_copy_only=False)
        column = documents.column("labels")
        known = np.asarray(column.is_valid())
        unknown = pc.invert(pc.is_in(column.flatten(), value_set=self.labels))
        known[column.value_parent_indices().filter(unknown).to_numpy()] = False
        return known

    def _label_indices(self, documents: pa.RecordBatch) -> np.ndarray:
        """The labels as int64 `(rows,)` indices, or multi-hot `(rows, labels)`, or `NO_LABEL`."""
        unlabeled = _is_unlabeled(documents)
        if not self.layout.multilabel:
            indices = pc.index_in(documents.column("label"), self.labels)
            labels = pc.fill_null(indices, NO_LABEL).to_numpy().astype(np.int64)
            return np.where(unlabeled, NO_LABEL, labels)
        column = documents.column("labels")
        multi_hot = np.zeros((documents.num_rows, len(self.labels)), np.int64)
        multi_hot[np.asarray(column.is_null())] = NO_LABEL
        multi_hot[
            column.value_parent_indices().to_numpy(),
            pc.fill_null(pc.index_in(column.flatten(), self.labels), 0).to_numpy(),
        ] = 1
        multi_hot[unlabeled] = NO_LABEL
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
        self,
        documents: pa.RecordBatch,
        kept: Tokens,
        ids: np.ndarray,
        beyond: "_BeyondTheNetwork",
        soft_labels: np.ndarray | None,
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
            soft_labels=soft_labels,
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
            labels = chosen.column(self._label_column)
            labels = labels.flatten() if self.layout.multilabel else labels
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
            if self.layout.probabilities:
                counts[str(split)] |= {
                    "soft_labels": chosen.num_rows - chosen.column("soft_labels").null_count,
                    "without_label": chosen.column(self._label_column).null_count,
                }
        return {"splits": counts}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _BeyondTheNetwork:
    """What the examples of a batch hold besides what the network reads; see `Examples`."""

    cut_ids: np.ndarray
    cut_offsets: np.ndarray
    unknown: UnknownTokens
    unknown_offsets: np.ndarray


def _is_unlabeled(documents: pa.RecordBatch) -> np.ndarray:
    """Whether a document is of the split that needs no label, bool `(rows,)`."""
    unlabeled = pc.equal(documents.column("split"), UNLABELED)
    return np.asarray(unlabeled.to_numpy(zero_copy_only=False), bool)


def _add_up(counts: np.ndarray) -> np.ndarray:
    """Where the values of each row begin, int64 `(rows + 1,)`."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _has_line_end(column: pa.Array) -> np.ndarray:
    """Whether a label of a row has a line feed, so that `labels.txt` cannot hold it."""
    return np.array(["\n" in "".join(label or ()) for label in column.to_pylist()], bool)


def _describe_labels(column: pa.Array) -> pa.StringArray:
    """The detail of the rejection for a label, for each row of a column of labels."""
    return pa.array(
        [
            "expected a label, got none"
            if label is None
            else f"expected a label without a line end, got {label!r}"
            if "\n" in "".join(label)
            else f"expected a label of the training split, got {label!r}"
            for label in column.to_pylist()
        ],
        pa.string(),
    )
