"""Tokens -> ids: 0 is `PAD`, then come the out-of-vocabulary buckets, then the tokens."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.text.string_buffers import read_strings
from model.text.tokens import Tokens
from model.text.vocabulary_kernel import build_slots, look_up

PAD = 0


def count_ids(content: bytes, *, oov_buckets: int) -> int:
    """The size of the vocabulary in the content of a file, without taking it apart."""
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    return 1 + oov_buckets + lines


class Vocabulary:
    """The tokens that a model knows, and the id of each.

    Ids are 0 for padding, 1 to `oov_buckets` for unknown tokens, then one for each of `tokens`
    in order. The bucket of an unknown token is the SipHash-2-4 of its UTF-8 modulo `oov_buckets`,
    as `tf.strings.to_hash_bucket_strong` computes it.

    Args:
        tokens: in folded form: reserved tokens, then the others by descending frequency.
        oov_buckets: how many ids the unknown tokens share, at least 1.

    Raises:
        ValueError: a token is empty, contains a line break, or occurs twice.
    """

    def __init__(self, tokens: Sequence[str], *, oov_buckets: int) -> None:
        if oov_buckets < 1:
            raise ValueError(f"oov_buckets: expected an integer >= 1, got {oov_buckets}")
        self.tokens = tuple(tokens)
        self.oov_buckets = oov_buckets
        self._check()
        self._bytes, self._offsets = read_strings(pa.array(self.tokens, pa.string()))
        self._basis = np.uint64(secrets.randbits(64))
        self._slots = build_slots(self._bytes, self._offsets, self._basis)

    @property
    def first_token_id(self) -> int:
        """The id of the first known token; lower ids are padding and unknown tokens."""
        return 1 + self.oov_buckets

    @property
    def size(self) -> int:
        """How many ids there are: the number of rows of the embedding matrix."""
        return self.first_token_id + len(self.tokens)

    def encode(self, tokens: Tokens) -> np.ndarray:
        """The id of every token, int32 [tokens]."""
        return self.encode_strings(tokens.folded_bytes, tokens.folded_offsets)

    def encode_strings(self, data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """The id of every token, int32 [tokens].

        Args:
            data: uint8, the UTF-8 of the tokens in folded form.
            offsets: int [tokens + 1], where each begins in `data`.
        """
        return look_up(
            data,
            offsets,
            self._bytes,
            self._offsets,
            self._slots,
            self._basis,
            self.oov_buckets,
        )

    def is_oov(self, ids: np.ndarray) -> np.ndarray:
        """Which ids stand for unknown tokens, bool, of the shape of `ids`."""
        return (ids > PAD) & (ids < self.first_token_id)

    def count_oov(self, ids: np.ndarray, row_offsets: np.ndarray) -> np.ndarray:
        """How many of each row's ids stand for unknown tokens, int32 [rows].

        Args:
            ids: int [tokens], from `encode`.
            row_offsets: int64 [rows + 1], of the same `Tokens`.
        """
        before = np.concatenate([[0], np.cumsum(self.is_oov(ids))])
        return np.diff(before[row_offsets]).astype(np.int32)

    def to_file(self, path: str | Path) -> None:
        """Writes the tokens as UTF-8, one per line; line i has the id `first_token_id` + i."""
        lines = "".join(f"{token}\n" for token in self.tokens)
        Path(path).write_bytes(lines.encode())

    @classmethod
    def from_file(cls, path: str | Path, *, oov_buckets: int) -> "Vocabulary":
        """Reads a file that `to_file` wrote.

        Raises:
            ValueError: the file is not UTF-8, or the class does not accept its tokens.
        """
        try:
            return cls.from_bytes(Path(path).read_bytes(), oov_buckets=oov_buckets)
        except ValueError as error:  # UnicodeDecodeError is a ValueError too
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def from_bytes(cls, content: bytes, *, oov_buckets: int) -> "Vocabulary":
        """As `from_file`, from the content of the file."""
        lines = content.decode().split("\n")
        # The text after the last line break is a line only if it is not empty.
        return cls(lines if lines[-1] else lines[:-1], oov_buckets=oov_buckets)

    def _check(self) -> None:
        seen: dict[str, int] = {}
        for line, token in enumerate(self.tokens, start=1):
            if not token or "\n" in token or "\r" in token:
                raise ValueError(
                    f"vocabulary line {line}: expected a token without line breaks, got {token!r}"
                )
            if token in seen:
                raise ValueError(
                    f"vocabulary line {line}: expected a token that occurs once, got {token!r}, "
                    f"which is also on line {seen[token]}"
                )
            seen[token] = line
