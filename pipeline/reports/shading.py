"""Attention in a text: the shade of each stretch, and the tokens with the most attention.

Beside it, the tokens that contribute most to the wide part's score.
"""

import dataclasses
import unicodedata
from collections.abc import Iterator, Sequence

from pipeline.corpora.scoring.gallery import ExampleDocument
from pipeline.reports.formats import count

LEVELS = 8  # shades in the style sheet; level 0 has none
_UNREAD_CHARACTERS = 160  # shown of a longer stretch that the model did not read
_ZERO_WIDTH_JOINER = "\u200d"


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a text.

    Attributes:
        text: as in the document.
        level: 0 (no shade) to `LEVELS`.
        attention: the share of the document's attention on it.
        contribution: to the wide part's score of the label; None without a wide part.
        read: False if the model did not read it: dropped markup, or text after the truncation.
    """

    text: str
    level: int = 0
    attention: float = 0.0
    contribution: float | None = None
    read: bool = True


def shade(document: ExampleDocument) -> list[Piece]:
    """The whole text of a document in pieces, in order.

    The shade of a token is proportional to its attention; the token with the most attention has
    the deepest shade. Tokens of one grapheme, such as a letter and its combining mark, are one
    piece, because a browser draws them as one only within one element. Neighbors without shade are
    one piece too. A long stretch that the model did not read is abbreviated; nothing else is
    changed.
    """
    tokens = _graphemes(document)
    if not tokens:
        return [Piece(document.text)]
    strongest = max(token.attention for token in tokens)
    contribute = document.contributions is not None
    pieces: list[Piece] = []
    end = 0
    for token in tokens:
        pieces += _between(document.text[end : token.start])
        text = document.text[token.start : token.end]
        level = _level(token.attention, strongest=strongest)
        contribution = token.contribution if contribute else None
        pieces.append(Piece(text, level, token.attention, contribution))
        end = token.end
    return list(_joined([*pieces, *_between(document.text[end:])]))


def strongest_tokens(document: ExampleDocument, *, limit: int = 3) -> list[Piece]:
    """The tokens with the most attention among those that `shade` shades, strongest first."""
    shaded = [piece for piece in shade(document) if piece.level]
    return sorted(shaded, key=_attention, reverse=True)[:limit]


def strongest_contributions(
    document: ExampleDocument, *, limit: int = 3
) -> list[tuple[str, float]]:
    """The tokens that contribute most to the wide part's score, for the label or against it.

    Each is given once, with the sum over its occurrences; the largest come first.
    """
    sums: dict[str, float] = {}
    for token in _graphemes(document):
        text = document.text[token.start : token.end]
        sums[text] = sums.get(text, 0.0) + token.contribution
    ordered = sorted(sums.items(), key=_size, reverse=True)
    return [(text, value) for text, value in ordered[:limit] if value]


def _size(item: tuple[str, float]) -> float:
    return abs(item[1])


def _attention(piece: Piece) -> float:
    return piece.attention


def _level(weight: float, *, strongest: float) -> int:
    return round(LEVELS * weight / strongest) if strongest > 0 else 0


@dataclasses.dataclass(frozen=True)
class _Grapheme:
    """Tokens that are drawn as one."""

    start: int
    end: int
    attention: float
    contribution: float  # 0 without a wide part


def _graphemes(document: ExampleDocument) -> list[_Grapheme]:
    """The tokens; those that continue a grapheme join the one before."""
    contributions = document.contributions or [0.0] * len(document.attention)
    columns = (document.token_starts, document.token_ends, document.attention, contributions)
    found: list[_Grapheme] = []
    for each in zip(*columns, strict=True):
        token = _Grapheme(*each)
        if found and found[-1].end == token.start and _continues(document.text, token.start):
            before = found.pop()
            token = _Grapheme(
                before.start,
                token.end,
                before.attention + token.attention,
                before.contribution + token.contribution,
            )
        found.append(token)
    return found


def _continues(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the grapheme of the character before it."""
    character, before = text[at : at + 1], text[at - 1 : at]
    return _ZERO_WIDTH_JOINER in (character, before) or (
        # Combining marks and variation selectors, then skin tones.
        unicodedata.category(character).startswith("M") or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _between(gap: str) -> Sequence[Piece]:
    """The text between two tokens: white space, or text that the model did not read."""
    if not gap:
        return []
    if gap.isspace():
        return [Piece(gap)]
    if len(gap) > _UNREAD_CHARACTERS:
        half = _UNREAD_CHARACTERS // 2
        hidden = count(len(gap) - 2 * half)
        gap = f"{gap[:half]} [… {hidden} characters …] {gap[-half:]}"
    return [Piece(gap, read=False)]


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Joins neighboring pieces without shade."""
    plain: list[str] = []
    for piece in pieces:
        if piece.level == 0 and piece.read:
            plain.append(piece.text)
            continue
        if plain:
            yield Piece("".join(plain))
            plain = []
        yield piece
    if plain:
        yield Piece("".join(plain))
