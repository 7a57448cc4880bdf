from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from model.config import TextConfig
from model.text.tokenizer import Tokenizer
from pipeline.corpora.preparing.token_counts import (
    TOKEN_COUNTS,
    add_token_counts,
    count_tokens,
    keep_frequent,
    part_by_token,
)

COUNTED = st.dictionaries(st.text(max_size=3), st.integers(1, 5), max_size=30)


def as_table(counts: dict[str, int]) -> pa.Table:
    return pa.table([list(counts), list(counts.values())], schema=TOKEN_COUNTS)


def as_dict(table: pa.Table) -> dict[str, int]:
    return dict(zip(*table.to_pydict().values(), strict=True))


@given(st.lists(st.text(st.sampled_from("aAb ,日"), max_size=10), max_size=5))
def test_counts_equal_those_of_a_plain_loop(texts: list[str]) -> None:
    tokenizer = Tokenizer(TextConfig())
    tokens = tokenizer.tokenize(pa.array(texts, pa.string()))
    counted = count_tokens(tokens)
    expected = Counter(token for of_text in tokens.folded().to_pylist() for token in of_text)
    assert dict(zip(*counted.to_pydict().values(), strict=True)) == expected


@given(st.lists(COUNTED, max_size=4))
def test_counts_added_up_in_parts_equal_their_sum(counts: list[dict[str, int]]) -> None:
    parts: dict[int, list[pa.Table]] = {}
    for counted in counts:
        for part, table in part_by_token(as_table(counted)):
            parts.setdefault(part, []).append(table)
    expected = sum(map(Counter, counts), Counter())
    added = [as_dict(add_token_counts(tables)) for tables in parts.values()]
    assert sum(len(part) for part in added) == len(expected)
    assert {token: count for part in added for token, count in part.items()} == expected


@given(COUNTED, st.integers(1, 10), st.integers(1, 4))
def test_the_most_frequent_tokens_are_kept(
    counts: dict[str, int], most: int, min_frequency: int
) -> None:
    kept = as_dict(
        keep_frequent(as_table(counts), vocabulary_size=most, min_frequency=min_frequency)
    )
    ordered = sorted(counts.values(), reverse=True)
    least = max(min_frequency, ordered[most - 1] if len(ordered) >= most else 1)
    assert kept == {token: count for token, count in counts.items() if count >= least}
