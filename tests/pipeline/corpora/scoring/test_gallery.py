import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.engine_scorer import EngineScorer
from pipeline.corpora.preparing.samples import Sample
from pipeline.corpora.scoring.gallery import (
    GALLERY_ROWS,
    SHOWN_CHARACTERS,
    SHOWN_TOKENS,
    ExampleDocument,
    beginning_of,
    explain_texts,
    gallery_from_lines,
    gallery_to_lines,
    most_and_least_certain,
    score_samples,
    select_extremes,
)
from pipeline.schemas import CONTRIBUTIONS, PREDICTIONS
from tests.pipeline.batches import make_documents
from tests.pipeline.tiny_model import LengthEngine, unsaved_bundle


def shown(score: float, document_id: str = "d") -> ExampleDocument:
    return ExampleDocument(
        document_id=document_id,
        text="a\u2028<b>",
        truth=None,
        label="x",
        score=score,
        token_starts=[0],
        token_ends=[1],
        attention=[1.0],
    )


def batch_of(scores: list[float]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    names = ("label", "score", "token_starts", "token_ends", "attention")
    predictions = pa.RecordBatch.from_pylist(
        [
            {"label": "x", "score": s, "token_starts": [0], "token_ends": [1], "attention": [1.0]}
            for s in scores
        ],
        pa.schema([PREDICTIONS.field(name) for name in names]),
    )
    return make_documents(*({"document_id": f"{s}", "label": "y"} for s in scores)), predictions


# Distinct numbers that float32 holds exactly, so that the extremes are unambiguous.
SCORES = st.lists(st.integers(0, 1024).map(lambda n: n / 1024), unique=True, max_size=60)


@given(SCORES, st.integers(1, 20))
def test_extremes_of_batches_are_the_extremes_of_all(scores: list[float], rows: int) -> None:
    groups = [
        select_extremes(*batch_of(scores[start : start + rows]))
        for start in range(0, len(scores), rows)
    ]
    found = most_and_least_certain(each for group in groups for each in group)
    ordered = sorted(scores, reverse=True)
    if len(ordered) > 2 * GALLERY_ROWS:
        ordered = ordered[:GALLERY_ROWS] + ordered[-GALLERY_ROWS:]
    assert [each.score for each in found] == ordered
    assert [each.document_id for each in found] == [f"{score}" for score in ordered]
    assert all(each.truth == "y" for each in found)


def test_documents_with_equal_scores_are_sorted_by_id() -> None:
    found = most_and_least_certain([shown(0.5, "b"), shown(0.5, "a"), shown(0.9, "c")])
    assert [each.document_id for each in found] == ["c", "a", "b"]


def test_a_gallery_is_read_back_from_its_lines() -> None:
    gallery = [shown(0.25, "a"), shown(0.75, "b\n")]
    lines = gallery_to_lines(gallery)
    assert all("\n" not in line and json.loads(line) for line in lines)
    assert gallery_from_lines(lines) == gallery


def test_a_gallery_written_before_there_were_contributions_is_read() -> None:
    [line] = gallery_to_lines([shown(0.25)])
    old = {name: value for name, value in json.loads(line).items() if "contribution" not in name}
    assert gallery_from_lines([json.dumps(old)]) == [shown(0.25)]


def test_samples_are_scored_and_those_without_tokens_left_out() -> None:
    scorer = EngineScorer(unsaved_bundle(Path("nowhere")), LengthEngine())
    samples = [
        Sample(digest=str(i), split="test", document_id=str(i), text=text, label="short")
        for i, text in enumerate(["good", "\u3000", "good bad so bad"])
    ]
    found = score_samples(scorer, samples)
    assert [(each.document_id, each.label) for each in found] == [("2", "long"), ("0", "short")]
    assert found[0].token_starts == [0, 5, 9, 12]
    assert found[0].text == "good bad so bad"
    assert score_samples(scorer, []) == []


def test_explained_texts_have_their_numbers_as_ids() -> None:
    scorer = EngineScorer(unsaved_bundle(Path("nowhere")), LengthEngine())
    found = explain_texts(scorer, ["good", " ", "bad bad"])
    assert [(each.document_id, each.text, each.truth) for each in found] == [
        ("1", "good", None),
        ("3", "bad bad", None),
    ]
    assert list(found[1].attention) == [0.5, 0.5]


@pytest.mark.parametrize(("words", "shown"), [(1_000, 1_000), (1_001, 1_000), (5_000, 1_000)])
@pytest.mark.parametrize("contributions", [False, True])
def test_the_beginning_of_a_long_document_is_shown(
    words: int, shown: int, contributions: bool
) -> None:
    starts = [4 * word for word in range(words)]
    row = {
        "label": "x", "score": 0.5, "token_starts": starts,
        "token_ends": [start + 3 for start in starts], "attention": [1 / words] * words,
    }  # fmt: skip
    fields = [PREDICTIONS.field(name) for name in row]
    if contributions:
        row |= {"contributions": [0.5] * words, "contributions_rest": 2.0}
        fields += list(CONTRIBUTIONS)
    predictions = pa.RecordBatch.from_pylist([row], pa.schema(fields))
    text = " ".join(["abc"] * words)
    [example] = select_extremes(make_documents({"text": text}), predictions)
    assert len(example.token_ends) == len(example.attention) == shown
    assert example.text == (text if words == shown else text[: 4 * shown - 1] + " […]")
    if contributions:
        assert example.contributions == [0.5] * shown
        assert example.contributions_rest == 2.0 + 0.5 * (words - shown)


def test_the_beginning_of_a_long_text_without_tokens_is_shown() -> None:
    row = {"label": "x", "score": 0.5, "token_starts": [], "token_ends": [], "attention": []}
    fields = [PREDICTIONS.field(name) for name in row]
    predictions = pa.RecordBatch.from_pylist([row], pa.schema(fields))
    [example] = select_extremes(make_documents({"text": "ab " * 10_000}), predictions)
    assert example.text == ("ab " * 10_000)[:20_000] + " […]"


def long_example(tokens: int, *, characters: int = 1) -> ExampleDocument:
    """An example of so many tokens of `a` with a blank after each."""
    starts = range(0, tokens * (characters + 1), characters + 1)
    return ExampleDocument(
        document_id="i" * 1_000,
        text=("a" * characters + " ") * tokens,
        truth="t" * 1_000,
        label="l" * 1_000,
        score=0.5,
        token_starts=list(starts),
        token_ends=[start + characters for start in starts],
        attention=[1 / tokens] * tokens,
        contributions=[1.0] * tokens,
        contributions_rest=2.0,
    )


@pytest.mark.parametrize(("tokens", "characters"), [(5_000, 1), (3, 15_000)])
def test_a_gallery_holds_the_beginning_of_what_is_long(tokens: int, characters: int) -> None:
    whole = long_example(tokens, characters=characters)
    shown = beginning_of(whole)
    assert len(shown.token_ends) <= SHOWN_TOKENS
    assert shown.text == whole.text[: shown.token_ends[-1]] + " […]"
    assert len(shown.text) <= SHOWN_CHARACTERS + 4
    assert (shown.document_id, shown.truth, shown.label) == (
        "i" * 300 + " […]",
        "t" * 300 + " […]",
        "l" * 300 + " […]",
    )
    assert shown.contributions is not None
    assert sum(shown.contributions) + shown.contributions_rest == len(whole.token_ends) + 2.0
    assert beginning_of(shown) == shown


def test_the_lines_of_a_gallery_are_cut_where_they_are_read() -> None:
    lines = [json.dumps(dataclasses.asdict(long_example(5_000)))] * 40
    found = gallery_from_lines(lines)
    assert len(found) == 2 * GALLERY_ROWS
    assert {len(each.text) for each in found} == {2 * SHOWN_TOKENS - 1 + 4}


def test_offsets_that_are_no_offsets_do_not_make_a_gallery_long() -> None:
    false = dataclasses.replace(long_example(3), text="a" * 10**6, token_ends=[10**9, 1, 2])
    assert len(beginning_of(false).text) <= 2 * SHOWN_CHARACTERS + 4


def test_samples_are_cut_for_the_gallery() -> None:
    scorer = EngineScorer(unsaved_bundle(Path("nowhere")), LengthEngine())
    sample = Sample(digest="", split="test", document_id="i" * 301, text="good", label=None)
    [example] = score_samples(scorer, [sample])
    assert example.document_id == "i" * 300 + " […]"
