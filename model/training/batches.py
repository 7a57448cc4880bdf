"""Examples -> the batches of one epoch: shuffled, of similar length, of few shapes.

Documents of similar length share a batch, and a batch is only as wide as its longest document. The
recurrent layers then spend less time on padding: on movie reviews they process twice as many
examples per second. Every batch has the same number of rows, and its width is a multiple of 16,
because JAX compiles a network anew for every shape.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided
from typing_extensions import override

from model.config import SoftLabelsConfig
from model.text.vocabulary import PAD
from model.training.backends.batch import Batch
from model.training.examples import Examples
from model.training.targets import NO_LABEL, has_label, truth_of_documents

# The documents of this many batches are sorted by length together. With more, batches have less
# padding, but documents of different lengths are mixed less.
WINDOW_BATCHES = 50

# The width of a batch is a multiple of this.
WIDTH_STEP = 16


def training_batches(
    examples: Examples,
    *,
    batch_size: int,
    rows: int,
    seed: int,
    epoch: int,
    soft_labels: SoftLabelsConfig | None = None,
    documents: np.ndarray | None = None,
) -> Sequence[Batch]:
    """The batches of one epoch, in an order that `(seed, epoch)` determines.

    A batch is made when it is taken. It is `(inputs, labels, weights)`: inputs `token_ids` int32
    `(rows, steps)` and `length` int32 `(rows,)`; labels int64 `(rows,)` or `(rows, labels)`;
    weights float32 `(rows,)`. `steps` is the length of the longest document, rounded up to a
    multiple of 16, and at most that of the longest of all examples. If the examples have soft
    labels, the labels are what `truth_of_documents` makes of them. A document without any label
    has `NO_LABEL` in all places.

    Rows without a document have length, label and weight 0. The weights of the documents are
    multiplied by rows / documents: Keras takes the mean over all rows, which is then the mean over
    the documents.

    Args:
        examples: of the training split; class weights are already in their weights.
        batch_size: documents per batch; the last one may have fewer.
        rows: rows per batch, at least `batch_size`. Several devices need a multiple of their
            number.
        seed: of the training.
        epoch: the number of the epoch.
        soft_labels: how soft labels are mixed with hard ones; None: by the default values.
        documents: the rows of `examples` that the epoch has, int64; None: all.
    """
    if rows < batch_size:
        raise ValueError(f"rows: expected at least {batch_size} (batch_size), got {rows}")
    # Every epoch has its own generator, rather than one that goes on: a training that resumes in a
    # later epoch then gets the same batches as one that was not interrupted.
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(examples.rows if documents is None else documents)
    chosen = list(_divide(order, examples, batch_size, generator))
    return _Batches(examples, chosen, rows=rows, soft_labels=soft_labels or SoftLabelsConfig())


def _divide(
    order: np.ndarray, examples: Examples, batch_size: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """The documents of each batch, int64 `(documents,)`; every document is in one batch."""
    window = batch_size * WINDOW_BATCHES
    for start in range(0, len(order), window):
        documents = order[start : start + window]
        lengths = examples.row_offsets[documents + 1] - examples.row_offsets[documents]
        documents = documents[np.argsort(lengths, kind="stable")]
        # Short documents would come first, so the batches of a window are shuffled.
        for batch in generator.permutation(-(-len(documents) // batch_size)):
            yield documents[batch * batch_size : (batch + 1) * batch_size]


class _Batches(Sequence[Batch]):
    """Batches of `rows` rows, each with the documents of one array of numbers."""

    def __init__(
        self,
        examples: Examples,
        documents: Sequence[np.ndarray],
        *,
        rows: int,
        soft_labels: SoftLabelsConfig,
    ) -> None:
        self.examples = examples
        self.documents = documents
        self.rows = rows
        self.soft_labels = soft_labels
        self.longest = int(examples.lengths.max(initial=0))
        self.columns = np.arange(max(self.longest, 1), dtype=np.int32)

    @override
    def __len__(self) -> int:
        return len(self.documents)

    @override
    def __getitem__(self, index: int) -> Batch:  # type: ignore[override]  # no slices
        examples, documents = self.examples, self.documents[index]
        count = len(documents)
        # A row without a document takes ids from place 0, none of which is kept.
        starts = np.zeros(self.rows, np.int64)
        starts[:count] = examples.row_offsets[documents]
        length = np.zeros(self.rows, np.int32)
        length[:count] = examples.row_offsets[documents + 1] - starts[:count]
        truth = self._truth(documents)
        labels = np.zeros((self.rows, *truth.shape[1:]), truth.dtype)
        labels[:count] = truth
        weights = np.zeros(self.rows, np.float32)
        weights[:count] = examples.weights[documents] * np.float32(self.rows / count)
        inputs = {"token_ids": self._pad(starts, length), "length": length}
        return inputs, labels, weights

    def _truth(self, documents: np.ndarray) -> np.ndarray:
        labels = self.examples.labels[documents]
        if self.examples.soft_labels is None:
            return labels
        soft_labels = self.examples.soft_labels[documents]
        truth = truth_of_documents(labels, soft_labels, self.soft_labels)
        # Targets are at least 0, so this marks a document that has none.
        truth[~has_label(labels) & np.isnan(soft_labels[:, 0])] = NO_LABEL
        return truth

    def _pad(self, starts: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The ids of documents, padded, int32 `(rows, steps)`."""
        ids = self.examples.ids
        steps = min(-(-int(length.max()) // WIDTH_STEP) * WIDTH_STEP, self.longest)
        if steps == 0:  # a network needs at least one step
            return np.full((self.rows, 1), PAD, np.int32)
        # Row i of this view is ids[i : i + steps]. Copying rows of it takes a quarter of the time
        # of an index per id (rows of 200 tokens, batches of 4,096).
        windows = as_strided(ids, (len(ids) - steps + 1, steps), (ids.itemsize, ids.itemsize))
        token_ids = windows[np.minimum(starts, len(windows) - 1)]
        columns = self.columns[:steps]
        late = np.flatnonzero(starts >= len(windows))
        if len(late):  # the last documents, where fewer than `steps` ids follow
            token_ids[late] = ids.take(starts[late, None] + columns, mode="clip")
        # What follows a document's own ids are those of the next ones.
        np.copyto(token_ids, PAD, where=columns >= length[:, None])
        return token_ids
