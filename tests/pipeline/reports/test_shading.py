"""Shading keeps the whole text and shades only tokens with attention."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.shading import (
    LEVELS,
    Piece,
    shade,
    strongest_contributions,
    strongest_tokens,
)
from tests.pipeline.reports import made_up


@st.composite
def documents(draw):
    """Any text with any tokens in order, some touching, some with text between them."""
    text = draw(st.text(max_size=60))
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20, unique=True)))
    spans = [
        (start, end)
        for start, end in itertools.pairwise(edges)
        if draw(st.booleans()) or not text[start:end].isspace()
    ]
    weights = draw(st.lists(st.floats(0, 1, width=32), min_size=len(spans), max_size=len(spans)))
    return made_up.document(
        text=text,
        token_starts=[start for start, _ in spans],
        token_ends=[end for _, end in spans],
        attention=weights,
    )


@given(documents())
def test_the_pieces_are_the_text(document):
    pieces = shade(document)
    assert "".join(piece.text for piece in pieces) == document.text
    assert all(0 <= piece.level <= LEVELS for piece in pieces)
    read = [piece for piece in pieces if piece.level]
    strongest = max(document.attention, default=0)
    if strongest > 0:
        assert max(piece.level for piece in read) == LEVELS
    else:
        assert not read
    assert all(a.level or b.level or not (a.read and b.read) for a, b in itertools.pairwise(pieces))


def test_the_shade_is_proportional_to_the_strongest_token():
    document = made_up.document(
        text="a b c d e",
        token_starts=[0, 2, 4, 6, 8],
        token_ends=[1, 3, 5, 7, 9],
        attention=[0.5, 0.25, 0.03, 0.0625, 0.1575],
    )
    assert shade(document) == [
        Piece("a", LEVELS, 0.5),
        Piece(" "),
        Piece("b", LEVELS // 2, 0.25),
        Piece(" c "),
        Piece("d", 1, 0.0625),
        Piece(" "),
        Piece("e", 3, 0.1575),
    ]


@pytest.mark.parametrize(
    ("text", "ends", "expected"),
    [
        ("e\u0301a", [1, 2, 3], ["e\u0301", "a"]),  # a combining accent
        ("กี่", [1, 2, 3], ["กี่"]),  # Thai: a consonant, a vowel above, a tone
        ("👩\u200d💻!", [1, 2, 3, 4], ["👩\u200d💻", "!"]),  # joined into one picture
        ("👍\U0001f3fd?", [1, 2, 3], ["👍\U0001f3fd", "?"]),  # a skin tone
        ("☁\ufe0fx", [1, 2, 3], ["☁\ufe0f", "x"]),  # drawn as a picture
        ("ab", [1, 2], ["a", "b"]),
    ],
)
def test_a_grapheme_is_shaded_as_one(text, ends, expected):
    document = made_up.document(
        text=text,
        token_starts=[0, *ends[:-1]],
        token_ends=ends,
        attention=[1 / len(ends)] * len(ends),
    )
    pieces = shade(document)
    assert [piece.text for piece in pieces] == expected
    assert sum(piece.attention for piece in pieces) == pytest.approx(1)


def test_text_that_the_model_did_not_read_is_marked_and_a_long_stretch_abbreviated():
    text = "good <br /> film" + " and so on" * 100
    document = made_up.document(
        text=text, token_starts=[0, 12], token_ends=[4, 16], attention=[0.9, 0.1]
    )
    good, markup, film, rest = shade(document)
    assert (good.text, markup.text, film.text) == ("good", " <br /> ", "film")
    assert [piece.read for piece in (good, markup, film, rest)] == [True, False, True, False]
    assert rest.text.startswith(" and so on")
    assert rest.text.endswith(" and so on")
    assert "[… 840 characters …]" in rest.text
    assert len(rest.text) < 200


def test_without_attention_the_text_is_shown_as_it_is():
    document = made_up.document(token_starts=[], token_ends=[], attention=[])
    assert shade(document) == [Piece(document.text)]
    assert strongest_tokens(document) == []


def test_strongest_tokens_are_those_that_are_shaded():
    document = made_up.document(attention=[0.1, 0.75, 0.01, 0.12, 0.02])
    found = [(piece.text, piece.attention) for piece in strongest_tokens(document)]
    assert found == [("refund", 0.75), ("please", 0.12), ("My", 0.1)]
    assert strongest_tokens(document, limit=1)[0].text == "refund"
    document = made_up.document(attention=[0.01, 0.98, 0.0, 0.01, 0.0])
    assert [piece.text for piece in strongest_tokens(document)] == ["refund"]


def test_a_document_with_lists_of_different_lengths_is_refused():
    with pytest.raises(ValueError, match=r"ticket-1: expected .* 5 starts, 5 ends, 1 weights"):
        made_up.document(attention=[1.0])


def test_the_largest_contributions_come_first_whatever_their_sign():
    document = made_up.document(contributions=[0.1, -0.75, 0.0, 0.5, 0.2], contributions_rest=1.0)
    assert strongest_contributions(document) == [("refund", -0.75), ("please", 0.5), (".", 0.2)]
    assert strongest_contributions(document, limit=1) == [("refund", -0.75)]
    assert shade(document)[0] == Piece("My", 1, 0.1, 0.1)
    assert strongest_contributions(made_up.document()) == []


def test_contributions_are_summed_over_the_occurrences_of_a_token_and_within_a_grapheme():
    document = made_up.document(
        text="e\u0301 a e\u0301",
        token_starts=[0, 1, 3, 5, 6],
        token_ends=[1, 2, 4, 6, 7],
        attention=[0.2] * 5,
        contributions=[0.25, 0.5, -1.0, 1.0, 0.125],
    )
    assert strongest_contributions(document) == [("e\u0301", 1.875), ("a", -1.0)]


def test_a_document_needs_a_contribution_for_each_token():
    with pytest.raises(ValueError, match=r"ticket-1: expected 5 contributions, .* got 1"):
        made_up.document(contributions=[1.0])
