import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import TextConfig
from model.text.tokenizer import Tokenizer
from pipeline.corpora.preparing.rationales import attention_on_rationales, mark_tokens
from pipeline.schemas import PREDICTIONS, SPANS

TOKENIZER = Tokenizer(TextConfig())

Span = dict[str, int]


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, list[Span] | None]:
    text = draw(st.text(st.sampled_from("ab é中  ,"), max_size=15))
    if not text or draw(st.booleans()):
        return text, draw(st.sampled_from([None, []]))
    spans = []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text) - 1))
        spans.append({"start": start, "end": draw(st.integers(start + 1, len(text)))})
    return text, spans


def overlaps(start: int, end: int, spans: list[Span] | None) -> int:
    return int(any(set(range(start, end)) & set(range(*span.values())) for span in spans or []))


@given(st.lists(marked_texts(), max_size=6))
def test_a_token_is_marked_if_it_shares_a_character_with_a_span(
    rows: list[tuple[str, list[Span] | None]],
) -> None:
    tokens = TOKENIZER.tokenize(pa.array([text for text, _ in rows], pa.string()))
    rationales = pa.array([spans for _, spans in rows], SPANS)
    starts, ends = tokens.by_row(tokens.starts).to_pylist(), tokens.by_row(tokens.ends).to_pylist()
    expected = [
        overlaps(start, end, spans)
        for (_, spans), of_row in zip(rows, zip(starts, ends, strict=True), strict=True)
        for start, end in zip(*of_row, strict=True)
    ]
    marked = mark_tokens(tokens, rationales)
    assert marked.dtype == np.int64
    assert marked.tolist() == expected


def test_a_span_between_tokens_marks_none() -> None:
    tokens = TOKENIZER.tokenize(pa.array(["ab  cd"]))
    for start, end, expected in ((2, 4, [0, 0]), (1, 3, [1, 0]), (3, 5, [0, 1]), (0, 6, [1, 1])):
        rationales = pa.array([[{"start": start, "end": end}]], SPANS)
        assert mark_tokens(tokens, rationales).tolist() == expected


def test_tokens_that_were_cut_are_not_marked() -> None:
    tokens, _ = TOKENIZER.tokenize(pa.array(["a b c d"])).cut(2, "head")
    rationales = pa.array([[{"start": 2, "end": 7}]], SPANS)
    assert mark_tokens(tokens, rationales).tolist() == [0, 1]


def test_attention_on_the_marked_tokens_is_summed_by_row() -> None:
    names = ("token_starts", "token_ends", "attention")
    predictions = pa.RecordBatch.from_pylist(
        [
            {"token_starts": [0, 2], "token_ends": [1, 3], "attention": [0.25, 0.75]},
            {"token_starts": [0], "token_ends": [1], "attention": [1.0]},
            {"token_starts": [0, 2], "token_ends": [1, 3], "attention": [0.5, 0.5]},
        ],
        pa.schema([PREDICTIONS.field(name) for name in names]),
    )
    rationales = pa.array([[{"start": 2, "end": 3}], None, [{"start": 0, "end": 3}]], SPANS)
    shares = attention_on_rationales(predictions, rationales)
    assert shares.tolist() == pytest.approx([0.75, 0.0, 1.0])
    later = attention_on_rationales(predictions.slice(2), rationales.slice(2))
    assert later.tolist() == pytest.approx([1.0])
