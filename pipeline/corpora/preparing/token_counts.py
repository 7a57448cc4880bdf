"""How often each token occurs: counted with Arrow, added up part by part."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.text.string_buffers import read_strings
from model.text.tokenizer import Tokens
from model.text.vocabulary_kernel import hash_tokens

TOKEN_COUNTS = pa.schema([pa.field("token", pa.string()), pa.field("count", pa.int64())])

# The distinct tokens are divided into this many parts; one worker adds up each part.
TOKEN_PARTS = 64

# A counter yields its counts when it holds more distinct tokens than this.
COUNTER_TOKENS = 1_000_000


def count_tokens(tokens: Tokens) -> pa.Table:
    """The distinct folded tokens of some texts and how often each occurs."""
    counted = pc.value_counts(tokens.folded().flatten())
    return pa.table([counted.field("values"), counted.field("counts")], schema=TOKEN_COUNTS)


def add_token_counts(tables: Iterable[pa.Table]) -> pa.Table:
    """One row for each token, with the sum of its counts."""
    table = pa.concat_tables([TOKEN_COUNTS.empty_table(), *tables])
    added = table.group_by("token").aggregate([("count", "sum")])
    return added.rename_columns(TOKEN_COUNTS.names)


def part_by_token(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Yields `(part, rows)`; a token is in the same part on every worker."""
    tokens = table.column("token").combine_chunks()
    parts = hash_tokens(*read_strings(tokens)) % np.uint64(TOKEN_PARTS)
    for part in np.unique(parts):
        yield int(part), table.filter(pa.array(parts == part))


class TokenCounter:
    """Counts the tokens of many batches in bounded memory."""

    def __init__(self) -> None:
        """Holds no counts yet."""
        self._tables: list[pa.Table] = []
        self._rows = 0

    def add(self, tokens: Tokens) -> Iterator[tuple[int, pa.Table]]:
        """Counts tokens; yields `(part, counts)` whenever too many distinct tokens are held."""
        counted = count_tokens(tokens)
        self._tables.append(counted)
        self._rows += counted.num_rows
        if self._rows > COUNTER_TOKENS:
            merged = add_token_counts(self._tables)
            # If merging leaves more than half, the limit is soon reached again: yield the counts.
            if merged.num_rows > COUNTER_TOKENS // 2:
                yield from part_by_token(merged)
                merged = merged.slice(0, 0)
            self._tables, self._rows = [merged], merged.num_rows

    def finish(self) -> Iterator[tuple[int, pa.Table]]:
        """Yields `(part, counts)` for what is still held."""
        yield from part_by_token(add_token_counts(self._tables))
        self._tables, self._rows = [], 0


def keep_frequent(table: pa.Table, *, vocabulary_size: int, min_frequency: int) -> pa.Table:
    """The tokens that a vocabulary may hold.

    These are the `vocabulary_size` most frequent tokens and all tokens that are as frequent as the
    last of these.
    """
    table = table.filter(pc.greater_equal(table.column("count"), min_frequency))
    if table.num_rows <= vocabulary_size:
        return table
    counts = table.column("count").to_numpy()
    rank = len(counts) - vocabulary_size
    last = np.partition(counts, rank)[rank]
    return table.filter(pc.greater_equal(table.column("count"), int(last)))
