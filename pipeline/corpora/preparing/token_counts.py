"""How often each token occurs: counted in Arrow, added up part by part."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.text.string_buffers import read_strings
from model.text.tokenizer import Tokenizer
from model.text.vocabulary_kernel import hash_tokens

TOKEN_COUNTS = pa.schema([pa.field("token", pa.string()), pa.field("count", pa.int64())])

# Distinct tokens are added up in this many parts, each on one worker.
PARTS = 64


def count_tokens(texts: pa.StringArray, tokenizer: Tokenizer) -> pa.Table:
    """The distinct tokens of some texts, folded, and how often each occurs."""
    tokens = tokenizer.tokenize(texts).folded().flatten()
    counted = pc.value_counts(tokens)
    return pa.table([counted.field("values"), counted.field("counts")], schema=TOKEN_COUNTS)


def add_token_counts(tables: Iterable[pa.Table]) -> pa.Table:
    """One row a token, with the sum of its counts."""
    table = pa.concat_tables([TOKEN_COUNTS.empty_table(), *tables])
    added = table.group_by("token").aggregate([("count", "sum")])
    return added.rename_columns(TOKEN_COUNTS.names)


def part_by_token(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """`(part, rows)`: a token is in the same part wherever it was counted."""
    tokens = table.column("token").combine_chunks()
    parts = hash_tokens(*read_strings(tokens)) % np.uint64(PARTS)
    for part in np.unique(parts):
        yield int(part), table.filter(pa.array(parts == part))


def keep_frequent(table: pa.Table, *, most: int, min_frequency: int) -> pa.Table:
    """The tokens that a vocabulary may hold: the most frequent, and all that equal the last."""
    table = table.filter(pc.greater_equal(table.column("count"), min_frequency))
    if table.num_rows <= most:
        return table
    counts = table.column("count").to_numpy()
    last = np.partition(counts, len(counts) - most)[len(counts) - most]
    return table.filter(pc.greater_equal(table.column("count"), int(last)))
