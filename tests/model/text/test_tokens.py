import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import TextConfig
from model.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer(TextConfig())


@pytest.mark.parametrize(
    ("max_tokens", "how", "expected", "dropped"),
    [
        (9, "head", [["A", "é", "C", "D", "E"], [], ["x"], ["Y", "z"]], [0, 0, 0, 0]),
        (5, "tail", [["A", "é", "C", "D", "E"], [], ["x"], ["Y", "z"]], [0, 0, 0, 0]),
        (3, "head", [["A", "é", "C"], [], ["x"], ["Y", "z"]], [2, 0, 0, 0]),
        (3, "tail", [["C", "D", "E"], [], ["x"], ["Y", "z"]], [2, 0, 0, 0]),
        (3, "head+tail", [["A", "é", "E"], [], ["x"], ["Y", "z"]], [2, 0, 0, 0]),
        (2, "head+tail", [["A", "E"], [], ["x"], ["Y", "z"]], [3, 0, 0, 0]),
        (1, "head", [["A"], [], ["x"], ["Y"]], [4, 0, 0, 1]),
        (1, "tail", [["E"], [], ["x"], ["z"]], [4, 0, 0, 1]),
        (1, "head+tail", [["A"], [], ["x"], ["Y"]], [4, 0, 0, 1]),
    ],
)
def test_cut(max_tokens: int, how: str, expected: list[list[str]], dropped: list[int]) -> None:
    tokens = TOKENIZER.tokenize(pa.array(["A é C D E", "", "x", "Y z"]))
    kept, gone = tokens.cut(max_tokens, how)
    assert kept.surfaces().to_pylist() == expected
    assert kept.folded().to_pylist() == [[token.lower() for token in row] for row in expected]
    assert gone.tolist() == dropped
    assert gone.dtype == np.int32


@given(
    rows=st.lists(st.integers(0, 12), max_size=6),
    max_tokens=st.integers(1, 13),
    how=st.sampled_from(["head", "tail", "head+tail"]),
)
def test_cut_equals_slices_of_lists(rows: list[int], max_tokens: int, how: str) -> None:
    texts = [" ".join(f"{row}É{place}" for place in range(rows[row])) for row in range(len(rows))]
    tokens = TOKENIZER.tokenize(pa.array(texts, pa.string()))
    kept, dropped = tokens.cut(max_tokens, how)
    head = {"head": max_tokens, "tail": 0, "head+tail": -(-max_tokens // 2)}[how]
    tail = max_tokens - head

    def cut(row: list) -> list:
        return row if len(row) <= max_tokens else row[:head] + row[len(row) - tail :]

    for whole, part in (
        (tokens.surfaces(), kept.surfaces()),
        (tokens.folded(), kept.folded()),
        (tokens.by_row(tokens.starts), kept.by_row(kept.starts)),
        (tokens.by_row(tokens.ends), kept.by_row(kept.ends)),
    ):
        assert part.to_pylist() == [cut(row) for row in whole.to_pylist()]
    assert (kept.counts() + dropped).tolist() == tokens.counts().tolist() == rows
    assert len(kept) == sum(kept.counts())


def test_columns_are_arrow_lists() -> None:
    tokens = TOKENIZER.tokenize(pa.array(["A b", None, "C"]))
    assert tokens.surfaces().type == pa.list_(pa.string())
    assert tokens.folded().to_pylist() == [["a", "b"], [], ["c"]]
    starts = tokens.by_row(tokens.starts)
    assert starts.type == pa.list_(pa.int32())
    assert starts.to_pylist() == [[0, 2], [], [0]]
    for column in (tokens.surfaces(), tokens.folded(), starts):
        column.validate(full=True)
