"""A trained model that predicts the examples of a dataset, whatever its vocabulary."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.config import ConfigError, TextConfig
from model.text.cutting import Cut, mark_kept
from model.text.string_buffers import read_strings
from model.text.tokenizer import TOKENIZER_KEYS
from model.text.tokenizer_kernel import copy_slices
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples
from model.wide.documents import WholeDocuments

# Documents that are predicted at a time.
BATCH = 10_000


class Teacher:
    """Predicts examples with the network and the wide part of a model directory.

    An example has the ids of the dataset's vocabulary, and the text of the tokens that this
    vocabulary lacks. So every token can be looked up in the model's own vocabulary.

    Args:
        bundle: the model.
        vocabulary: of the dataset.
        cut: the dataset's `text.cut`, with which the tokens that were cut find their place.

    Raises:
        BundleError: if the weights are not those of the model's config.
    """

    def __init__(self, bundle: Bundle, vocabulary: Vocabulary, *, cut: Cut) -> None:
        self._bundle = bundle
        self._vocabulary = vocabulary
        self._cut = cut
        self._engine = bundle.make_folded_engine()
        self._wide = bundle.read_wide_part()
        self._known = read_strings(pa.array(vocabulary.tokens, pa.string()))

    def predict(self, examples: Examples) -> np.ndarray:
        """The model's probabilities, float32 `(rows, labels)`, in its own order of labels."""
        batches = [
            self._predict(examples.slice(start, min(start + BATCH, examples.rows)))
            for start in range(0, examples.rows, BATCH)
        ]
        return np.concatenate(batches)

    def _predict(self, examples: Examples) -> np.ndarray:
        documents = self._encode(examples)
        text = self._bundle.config.text
        lengths = np.diff(documents.row_offsets)
        kept = np.minimum(lengths, text.max_tokens)
        ids = documents.ids[mark_kept(kept, lengths - kept, text.cut)]
        row_offsets = np.concatenate([[0], np.cumsum(kept)])
        probabilities, _ = self._engine.run(ids, row_offsets)
        if self._wide is None:
            return probabilities
        return self._wide.combine(probabilities, self._wide.logits(documents))

    def _encode(self, examples: Examples) -> WholeDocuments:
        """The whole documents with the ids of the model's vocabulary."""
        own_ids, row_offsets = examples.whole_documents(self._cut)
        # Numbers the tokens of the dataset's vocabulary and, after them, the unknown ones.
        numbers = own_ids.astype(np.int64) - self._vocabulary.first_token_id
        unknown = self._vocabulary.is_oov(own_ids)
        numbers[unknown] = len(self._vocabulary.tokens) + np.arange(len(examples.unknown))
        data, offsets = self._known
        data = np.concatenate([data, examples.unknown.data])
        offsets = np.concatenate([offsets, offsets[-1] + examples.unknown.offsets[1:]])
        vocabulary = self._bundle.vocabulary
        ids = vocabulary.encode_strings(data, offsets)[numbers]
        missing = numbers[vocabulary.is_oov(ids)]
        unknown_bytes, unknown_offsets = copy_slices(data, offsets[missing], offsets[missing + 1])
        return WholeDocuments(
            ids=ids,
            row_offsets=row_offsets,
            unknown_bytes=unknown_bytes,
            unknown_offsets=unknown_offsets,
        )


def order_of_labels(
    bundle: Bundle, *, labels: Sequence[str], text: TextConfig, multilabel: bool, where: str
) -> np.ndarray:
    """The columns of a teacher's probabilities in the order of a dataset's labels, int64.

    Args:
        bundle: the teacher.
        labels: of the dataset, by index.
        text: how the dataset was tokenized.
        multilabel: whether its documents may have several labels.
        where: the teacher's folder, for messages.

    Raises:
        ConfigError: if the teacher has other labels, or reads texts as other tokens.
    """
    if sorted(bundle.labels) != sorted(labels):
        raise _wrong(where, "labels", sorted(labels), sorted(bundle.labels))
    head = bundle.config.network.head
    if (head == "multilabel") != multilabel:
        expected = "multilabel" if multilabel else "softmax or sigmoid"
        raise _wrong(where, "network.head", expected, head)
    check_tokens(bundle, text=text, where=where)
    return np.array([bundle.labels.index(label) for label in labels])


def check_tokens(bundle: Bundle, *, text: TextConfig, where: str) -> None:
    """Checks that a teacher reads texts as the same tokens.

    Raises:
        ConfigError: naming the first key of `text` in which they differ.
    """
    for name in TOKENIZER_KEYS:
        expected, got = getattr(text, name), getattr(bundle.config.text, name)
        if expected != got:
            raise _wrong(where, f"text.{name}", expected, got)


def _wrong(where: str, key: str, expected: object, got: object) -> ConfigError:
    return ConfigError(
        f"teachers.models: {where}: expected a model with {key} {expected}, as the dataset has, "
        f"got {got}. Choose a model that was trained on documents like these."
    )
