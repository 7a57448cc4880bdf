"""The folded engine: runs a network on a CPU without Keras and TensorFlow.

**Folding.** An LSTM step computes the gates z_t = W x_t + U h_{t-1} + b, where
in the first layer x_t = E[id_t] is a row of the embedding. W E[id] + b depends
on the id alone, so it is computed once for every id, when the engine is made:

    table[id] = W E[id] + b,        z_t = table[id_t] + U h_{t-1}.

The input projection is then a look-up of a row. The result is exact, and with
an embedding of 128 and 64 units it saves two thirds of the arithmetic. Later
layers multiply [x_t, h_{t-1}] by [W, U] in one pass. With
sigmoid(x) = (1 + tanh(x / 2)) / 2, all gates use the same function, tanh; the
division of x by 2 is already in the weights.

**Sorting.** Documents are sorted by length and laid end to end. A block of
documents of about the same length, as many as fit into the registers, runs
through all its steps together; there is no padding. The backward LSTM does the
same from each document's last token on.

**Threads.** Tiles of documents run on threads, one per core, without the GIL.
No BLAS library is used, because its own threads would compete with them. A
second core makes tiles 2 times as fast, but products this small only 1.4 times.

Measured in one run, in documents per second (64 units per direction, 200
tokens, with attention, one core): this engine 10,300, ONNX Runtime 3,000, Keras
2,600; OpenBLAS, for the recurrent products alone, 9,000
(`tests/benchmarks/bench_engine.py`).

A document's result is the same to the bit whatever documents are scored with
it, in any order and on any number of threads. It differs from the result of the
Keras network only by rounding, about 1e-6.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from model.config import NetworkConfig
from model.folded.attention import FOLDED_POOLINGS, one_group
from model.folded.embedding import FoldedEmbedding
from model.folded.entities import FoldedEntities
from model.folded.kernels import dot_rows
from model.folded.layout import Tile, Width, as_vectors
from model.folded.llvm_code import BLOCK_ROWS
from model.folded.lstm import FoldedLSTM
from model.runtime.cores import usable_cores
from model.text.markers import Markers
from model.weights import DIRECTIONS, Weights

# With this size, the states of a tile take 4 MB. Measured: with one thread, all sizes from 1,200 to
# 16,384 tokens are equally fast. With many threads larger tiles are better, because the threads
# spend less time in Python, where they wait for the GIL.
TILE_TOKENS = 8192


class FoldedEngine:
    """Runs a network over documents given as flat token ids.

    Several threads may share one engine.

    Args:
        layers: the network's weights, as `model.bundle.bundle.Bundle.read_weights` returns them.
        config: the settings of the network.
        markers: the ids of the markers of `config.entities`.
        threads: how many tiles of documents run at a time; None for one on
            every core that this process may use.

    Raises:
        ValueError: if `threads` is less than 1.
    """

    def __init__(
        self,
        layers: Mapping[str, Weights],
        config: NetworkConfig,
        *,
        markers: Markers = (),
        threads: int | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads: expected an integer >= 1 or None, got {threads}")
        self.threads = threads or usable_cores()
        self.config = config

        width = Width(config.state_units)
        embedding = layers["embedding"]["embeddings"]
        self._ids = len(embedding)
        self._layers: list[FoldedLSTM | FoldedEmbedding] = [
            FoldedLSTM(
                [
                    layers[f"bilstm_{number}.{direction}"]
                    for direction in DIRECTIONS[: 1 + config.lstm.bidirectional]
                ],
                width=width,
                sum_directions=config.lstm.bidirectional and config.lstm.merge == "sum",
                embedding=embedding if number == 1 else None,
            )
            for number in range(1, config.lstm.layers + 1)
        ] or [FoldedEmbedding(embedding, width=width)]
        attention = layers.get("attention", {})
        pooling = FOLDED_POOLINGS[config.attention.kind]
        self._pool = pooling(attention, width=width, config=config)
        # Only the biases of positional attention, one per position, limit a document's length.
        self._max_tokens = len(attention["bias"]) if config.attention.kind == "positional" else None
        head = layers["head"]
        self._entities = FoldedEntities(markers)
        pooled = len(head["kernel"]) - len(markers) * config.state_width
        kernels = [
            self._pool.output.pad_rows(head["kernel"][:pooled]),
            width.pad_rows(head["kernel"][pooled:]),
        ]
        self._head_vectors = as_vectors(np.concatenate(kernels))
        self._head_bias = head["bias"]

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores documents.

        Args:
            ids: int32 `(tokens,)`, the documents end to end.
            row_offsets: int64 `(rows + 1,)`, from 0: document i is
                `ids[row_offsets[i] : row_offsets[i + 1]]`. It has at least one
                token and at most as many as the network was made for.

        Returns:
            `(probabilities, attention)`: float32 `(rows, labels)` and float32
            `(tokens,)`, in the order of the documents.

        Raises:
            ValueError: if the offsets, a length or an id are not as above.
        """
        row_offsets = np.asarray(row_offsets, np.int64)
        self._check(ids, row_offsets)
        lengths = np.diff(row_offsets)
        longest_first = np.argsort(-lengths, kind="stable")
        labels = 2 if self.config.head == "sigmoid" else len(self._head_bias)
        probabilities = np.empty((len(lengths), labels), np.float32)
        attention = np.empty(len(ids), np.float32)

        def score(tile_rows: slice) -> None:
            rows = longest_first[tile_rows]
            tile = Tile(lengths[rows])
            tokens = np.repeat(row_offsets[rows], tile.lengths) + tile.position_of_token
            probabilities[rows], attention[tokens] = self._score(ids[tokens], tile)

        tiles = list(_tiles(lengths[longest_first], threads=self.threads))
        if min(self.threads, len(tiles)) <= 1:
            for tile_rows in tiles:
                score(tile_rows)
        else:
            # Every call makes its own pool: a permanent pool has no threads after a fork.
            with ThreadPoolExecutor(min(self.threads, len(tiles))) as executor:
                list(executor.map(score, tiles))
        return probabilities, attention

    def _score(self, ids: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        states = ids = ids.astype(np.int64)
        for layer in self._layers:
            states, final = layer(states, tile)
        pooled, attention = self._pool(states[:-1], final, tile)
        pooled = self._entities(pooled, states[:-1], ids, tile)
        probabilities = self._activate(
            dot_rows(pooled, self._head_vectors, one_group(pooled), False) + self._head_bias
        )
        if self.config.attention.return_sequences:
            sums = np.add.reduceat(probabilities, tile.starts)
            probabilities = sums / tile.lengths[:, None].astype(np.float32)
        if self.config.head == "sigmoid":
            probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
        return probabilities, attention

    def _activate(self, logits: np.ndarray) -> np.ndarray:
        if self.config.head == "softmax":
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            return exponentials / exponentials.sum(axis=1, keepdims=True)
        return (1 + np.tanh(logits / 2)) / 2  # sigmoid, without overflow

    def _check(self, ids: np.ndarray, row_offsets: np.ndarray) -> None:
        if row_offsets[0] != 0 or row_offsets[-1] != len(ids):
            raise ValueError(
                f"row_offsets: expected to run from 0 to {len(ids)}, the number of ids,"
                f" got {row_offsets[0]} to {row_offsets[-1]}"
            )
        lengths = np.diff(row_offsets)
        longest = self._max_tokens or np.iinfo(np.int32).max
        wrong = np.flatnonzero((lengths < 1) | (lengths > longest))
        if len(wrong):
            raise ValueError(
                f"row_offsets: expected documents of 1 to {longest} tokens, got {lengths[wrong[0]]}"
                f" in row {wrong[0]}. Leave out empty documents and cut long ones."
            )
        # The kernels do not check bounds, so an id that is out of range must be refused here.
        if len(ids) and not 0 <= ids.min() <= ids.max() < self._ids:
            raise ValueError(
                f"ids: expected 0 to {self._ids - 1}, the rows of the embedding,"
                f" got {ids.min()} to {ids.max()}"
            )


def _tiles(lengths: np.ndarray, *, threads: int) -> Iterator[slice]:
    """Cuts documents, the longest first, into tiles of about `TILE_TOKENS` tokens or less."""
    tokens = min(TILE_TOKENS, lengths.sum() // threads)
    start = 0
    while start < len(lengths):
        blocks = max(1, tokens // (lengths[start] * BLOCK_ROWS))
        yield slice(start, start + blocks * BLOCK_ROWS)
        start += blocks * BLOCK_ROWS
