"""TFRecord shards -> the examples of one split, read in parallel."""

import collections
import contextlib
import dataclasses
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np

from model.config import ConfigError
from model.runtime.cores import usable_cores
from model.training import example_kernel as kernel
from model.training.examples import MAX_CUT_TOKENS, Examples, UnknownTokens
from model.training.protobuf.records import find_records
from model.training.targets import has_label

# Compressed bytes that are read at a time. gzip expands to at most 1,032 times as much: 68 MB.
BLOCK_BYTES = 1 << 16

# A longer record is no example: at this size it would have millions of tokens.
MAX_RECORD_BYTES = 64 << 20

# Shards that are read at once. Each takes about 4 times the size of its file in memory, as int32
# ids; a thread reads about 240,000 documents of 200 tokens a second, half of the time in zlib.
MAX_THREADS = 8

# A gzip file: the window of 32 kB, and 16 to expect gzip's header and checksums.
GZIP = 16 + zlib.MAX_WBITS

ADVICE = "Delete the dataset's folder and run prepare again."


class ShardError(ConfigError):
    """A shard that cannot be used; the message is one line, shown to the user."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shards:
    """The TFRecord shards of one split, and the sizes with which their examples were written.

    Attributes:
        paths: of the files.
        rows: how many examples they hold together.
        max_tokens: the padded width of `token_ids`.
        oov_buckets: how many ids, from 1 on, stand for unknown tokens.
        label_width: the width of a multi-hot label; 0 where an example has one label index.
        soft_labels: the number of labels if examples may have `probabilities`, else 0.
    """

    paths: tuple[str, ...]
    rows: int
    max_tokens: int
    oov_buckets: int
    label_width: int = 0
    soft_labels: int = 0


def read_examples(shards: Shards, *, scratch: Path) -> Examples:
    """Reads the examples of a split, those of the first path in sorted order first.

    What there is for every token is written to files and mapped into memory. The system keeps as
    much of it in memory as it has room for, so a corpus can be larger than memory.

    Args:
        shards: of the split.
        scratch: a local folder for those files, which must stay as long as the examples are used.

    Raises:
        ShardError: if a shard is damaged, is not gzipped TFRecord, or holds other examples than
            `shards` says.
        OSError: if a shard cannot be read or the files cannot be written.
    """
    lengths = [np.empty(0, np.int32)]
    cut_lengths = [np.empty(0, np.int32)]
    unknown_counts = [np.empty(0, np.int32)]
    labels = [np.empty((0, max(1, shards.label_width)), np.int64)]
    weights = [np.empty(0, np.float32)]
    with contextlib.closing(_TokenFiles(scratch)) as files:
        for block in _read_shards(shards):
            files.append(block)
            lengths.append(block.lengths)
            cut_lengths.append(block.cut_lengths)
            unknown_counts.append(block.unknown_counts)
            labels.append(block.labels)
            weights.append(block.weights.view(np.float32))
        row_offsets = _add_up(lengths)
        rows = len(row_offsets) - 1
        if rows != shards.rows:
            folder = os.path.dirname(shards.paths[0]) if shards.paths else "no shard"
            raise ShardError(
                f"{folder}: expected {shards.rows} examples in {len(shards.paths)} shards, as the "
                f"dataset's manifest says, got {rows}. {ADVICE}"
            )
        all_labels = np.concatenate(labels)
        return Examples(
            ids=files.ids.map(),
            row_offsets=row_offsets,
            labels=all_labels if shards.label_width else all_labels[:, 0],
            weights=np.concatenate(weights),
            cut_ids=files.cut_ids.map(),
            cut_offsets=_add_up(cut_lengths),
            unknown=files.map_unknown(),
            unknown_offsets=_add_up(unknown_counts),
            soft_labels=files.map_soft_labels(rows, shards.soft_labels),
        )


def _add_up(lengths: list[np.ndarray]) -> np.ndarray:
    """Where each row begins, int64 `(rows + 1,)`."""
    offsets = np.zeros(sum(map(len, lengths)) + 1, np.int64)
    np.cumsum(np.concatenate(lengths), out=offsets[1:])
    return offsets


class _TokenFiles:
    """What examples have for every token or every label, in files, while the shards are read."""

    def __init__(self, folder: Path) -> None:
        self.ids = _ArrayFile(np.int32, folder, "token-ids-")
        self.cut_ids = _ArrayFile(np.int32, folder, "cut-token-ids-")
        self.unknown = _ArrayFile(np.uint8, folder, "unknown-tokens-")
        self.unknown_offsets = _ArrayFile(np.int64, folder, "unknown-token-offsets-")
        self.unknown_bytes = 0
        self.soft_labels = _ArrayFile(np.float32, folder, "soft-labels-")

    def append(self, block: kernel.Parsed) -> None:
        self.ids.append(block.ids)
        self.cut_ids.append(block.cut_ids)
        self.soft_labels.append(block.soft_labels.view(np.float32).reshape(-1))
        if len(block.unknown_offsets) > 1:
            self.unknown.append(block.unknown)
            # Where a block begins, the one before it ends.
            offsets = block.unknown_offsets + np.int64(self.unknown_bytes)
            self.unknown_offsets.append(offsets[1:] if self.unknown_offsets.file else offsets)
            self.unknown_bytes += len(block.unknown)

    def map_unknown(self) -> UnknownTokens:
        """All unknown tokens."""
        if self.unknown_offsets.file is None:
            return UnknownTokens()
        return UnknownTokens(data=self.unknown.map(), offsets=self.unknown_offsets.map())

    def map_soft_labels(self, rows: int, labels: int) -> np.ndarray | None:
        """The soft labels of all examples, `(rows, labels)`; None if `labels` is 0."""
        return self.soft_labels.map().reshape(rows, labels) if labels else None

    def close(self) -> None:
        tokens = (self.ids, self.cut_ids, self.unknown, self.unknown_offsets)
        for file in (*tokens, self.soft_labels):
            file.close()


class _ArrayFile:
    """A file for one array, which is written part by part and then mapped into memory."""

    def __init__(self, dtype: type[np.generic], folder: Path, prefix: str) -> None:
        self.dtype = dtype
        self.folder = folder
        self.prefix = prefix
        self.file: IO[bytes] | None = None

    def append(self, values: np.ndarray) -> None:
        """Writes the next values; the first ones make the file."""
        if not len(values):
            return
        if self.file is None:
            descriptor, _ = tempfile.mkstemp(prefix=self.prefix, dir=self.folder)
            self.file = os.fdopen(descriptor, "w+b")
        self.file.write(np.ascontiguousarray(values, self.dtype).data)

    def map(self) -> np.ndarray:
        """All values, read-only."""
        if self.file is None:
            return np.empty(0, self.dtype)
        self.file.flush()
        mapped = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, self.dtype)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def check_examples(
    examples: Examples, *, ids: int, labels: int, where: str, unlabeled: bool = False
) -> None:
    """Checks that the examples are of the dataset whose vocabulary and labels are used.

    Args:
        examples: of one split.
        ids: rows of the embedding.
        labels: the number of labels.
        where: the folder of the shards, for the message.
        unlabeled: whether it is a split whose documents need no label.

    Raises:
        ShardError: if a token id, a label or a weight is none of this dataset.
    """
    largest = 2 if examples.labels.ndim == 2 else labels
    hard = examples.labels
    may_lack_label = np.full(len(hard), unlabeled)
    soft_rows_are_right = True
    if examples.soft_labels is not None:
        taught = ~np.isnan(examples.soft_labels).any(axis=1)
        may_lack_label |= taught
        soft = examples.soft_labels[taught]
        soft_rows_are_right = bool(((soft >= 0) & (soft <= 1)).all())
    hard = hard[has_label(hard) | ~may_lack_label]
    checks = {
        f"token ids below {ids}": max(examples.ids.max(initial=0), examples.cut_ids.max(initial=0))
        < ids,
        f"labels from 0 to {largest - 1}": hard.min(initial=0) >= 0
        and hard.max(initial=0) < largest,
        "probabilities from 0 to 1": soft_rows_are_right,
        "finite weights of 0 or more": bool(
            (np.isfinite(examples.weights) & (examples.weights >= 0)).all()
        ),
    }
    for expected, holds in checks.items():
        if not holds:
            raise ShardError(f"{where}: expected {expected}, got other examples. {ADVICE}")


def _read_shards(shards: Shards) -> Iterator[kernel.Parsed]:
    """The blocks of all shards, in the order of the paths; a thread reads a shard."""
    threads = min(usable_cores(), MAX_THREADS)
    waiting: collections.deque[Future[list[kernel.Parsed]]] = collections.deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="read-shards") as pool:
        for path in sorted(shards.paths):
            # A shard that has been read stays in memory until those before it are written, so no
            # more than one per thread are read ahead.
            if len(waiting) == threads:
                yield from waiting.popleft().result()
            waiting.append(pool.submit(_read_shard, path, shards))
        while waiting:
            yield from waiting.popleft().result()


def _read_shard(path: str, shards: Shards) -> list[kernel.Parsed]:
    blocks = []
    rows = 0
    rest = b""
    for part in _decompress(path):
        rest += part
        data = np.frombuffer(rest, np.uint8)
        starts, ends, position, claimed = find_records(data, MAX_RECORD_BYTES)
        if claimed:
            raise ShardError(
                f"{path}: expected the length of record {rows + len(starts) + 1}, got {claimed}: "
                f"the file is damaged or is not TFRecord. {ADVICE}"
            )
        block = kernel.parse_records(
            data,
            starts,
            ends,
            shards.max_tokens,
            max(1, shards.label_width),
            shards.oov_buckets,
            shards.soft_labels,
        )
        rows += len(block.lengths)
        if block.fault != kernel.NO_FAULT:
            raise ShardError(f"{path}: example {rows + 1}: {_describe(block, shards)}. {ADVICE}")
        # Copies, because the kernel's arrays have room for more than there is.
        blocks.append(
            block._replace(
                ids=block.ids.copy(),
                cut_ids=block.cut_ids.copy(),
                unknown=block.unknown.copy(),
                unknown_offsets=block.unknown_offsets.copy(),
            )
        )
        rest = rest[position:]
    if rest:
        raise ShardError(
            f"{path}: expected a complete record {rows + 1}, got {len(rest)} bytes and the end of "
            f"the file. {ADVICE}"
        )
    return blocks


def _decompress(path: str) -> Iterator[bytes]:
    """The content of a gzip file, which may have several members.

    zlib compares a member with the CRC-32 and the length at its end, so the checksums of the
    TFRecord records in it need not be computed. zlib and the kernels run without the GIL.
    """
    member = zlib.decompressobj(GZIP)
    if not os.path.isfile(path):
        raise ShardError(f"{path}: expected a shard of the dataset, got no file. {ADVICE}")
    with open(path, "rb") as file:
        while block := file.read(BLOCK_BYTES):
            while block:
                if member.eof:
                    member = zlib.decompressobj(GZIP)
                try:
                    part = member.decompress(block)
                except zlib.error as error:
                    raise ShardError(
                        f"{path}: expected gzipped TFRecord, got other or damaged data ({error}). "
                        f"{ADVICE}"
                    ) from None
                yield part
                block = member.unused_data
    if not member.eof:
        raise ShardError(f"{path}: expected the end of its gzip data, got a shorter file. {ADVICE}")


def _describe(block: kernel.Parsed, shards: Shards) -> str:
    """What was expected and what came, for the fault of `parse_records`."""
    found = block.found
    labels = f"{shards.label_width} numbers (0 or 1)" if shards.label_width else "one number"
    return {
        kernel.NO_MESSAGE: "expected a tf.train.Example, got other data",
        kernel.BAD_TOKEN_IDS: (
            f"token_ids: expected {shards.max_tokens} numbers (text.max_tokens), got {found}"
        ),
        kernel.BAD_ID: f"token_ids: expected numbers in [0, 2**31), got {found}",
        kernel.BAD_LENGTH: f"length: expected one number up to {shards.max_tokens}, got {found}",
        kernel.BAD_LABEL: f"label: expected {labels}, got {found}",
        kernel.BAD_WEIGHT: f"weight: expected at most one number, got {found}",
        kernel.BAD_PROBABILITIES: (
            f"probabilities: expected none or {shards.soft_labels} numbers, got {found}"
        ),
        kernel.BAD_CUT_TOKEN_IDS: (
            f"cut_token_ids: expected at most {MAX_CUT_TOKENS} numbers, got {found}"
        ),
        kernel.BAD_CUT_ID: f"cut_token_ids: expected numbers in [0, 2**31), got {found}",
        kernel.CUT_WITHOUT_NEED: (
            "cut_token_ids: expected them only in a document of which "
            f"{shards.max_tokens} tokens (text.max_tokens) are kept, got one of {found}"
        ),
        kernel.BAD_UNKNOWN_TOKENS: (
            f"unknown_tokens: expected one for each of the {block.expected} ids that stand for "
            f"unknown tokens, got {found}"
        ),
    }[block.fault]
