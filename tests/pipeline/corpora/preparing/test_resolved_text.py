import dataclasses
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ResolvedTextConfig, TextConfig
from model.text.tokenizer import Tokenizer
from pipeline.corpora.preparing.resolved_text import (
    choose_max_tokens,
    count_lengths,
    resolve_text,
)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], 16),
        ([1] * 9, 16),
        ([16] * 9, 16),
        ([17] * 9, 24),
        ([24] * 9, 24),
        ([25] * 9, 32),
        ([20] * 95 + [90] * 5, 24),  # 95 of 100 documents are whole
        ([20] * 94 + [90] * 6, 96),
        ([399] * 9, 400),
        ([401] * 9, 400),
        ([10_000] * 9, 400),
    ],
)
def test_the_number_of_tokens_that_few_documents_exceed(lengths: list[int], expected: int) -> None:
    assert choose_max_tokens(Counter(map(str, lengths))) == expected


@given(st.lists(st.integers(1, 500), min_size=1, max_size=300))
def test_at_least_95_percent_of_the_documents_are_whole(lengths: list[int]) -> None:
    chosen = choose_max_tokens(Counter(map(str, lengths)))
    assert chosen % 8 == 0
    assert 16 <= chosen <= 400
    share = np.mean(np.array(lengths) <= chosen)
    assert share >= 0.95 or chosen == 400
    # A number that is smaller by 8 would not do.
    assert np.mean(np.array(lengths) <= chosen - 8) < 0.95 or chosen == 16


def test_documents_are_counted_by_their_number_of_tokens() -> None:
    texts = pa.array(["a b", "c", "", " ", "d, e", "日本"])
    counts = count_lengths(Tokenizer(TextConfig()).tokenize(texts))
    assert counts == {"train_lengths": {"1": 1, "2": 2, "3": 1}}
    assert count_lengths(Tokenizer(TextConfig()).tokenize(texts[:0])) == {"train_lengths": {}}


def test_a_configured_number_stays() -> None:
    counts = {"train_lengths": {"40": 9}}
    text = TextConfig(max_tokens=7, lowercase=False, protected=("a b",))
    resolved = resolve_text(text, counts)
    assert isinstance(resolved, ResolvedTextConfig)
    assert dataclasses.asdict(resolved) == dataclasses.asdict(text)
    chosen = resolve_text(dataclasses.replace(text, max_tokens="auto"), counts)
    assert chosen == dataclasses.replace(resolved, max_tokens=40)
    assert resolve_text(TextConfig(), {}).max_tokens == 16
