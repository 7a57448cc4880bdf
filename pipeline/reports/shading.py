"""Attention in a text: the shade of each stretch, and the tokens with the most attention."""

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
        read: False if the model did not read it: dropped markup, or text after the truncation.
    """

    text: str
    level: int = 0
    attention: float = 0.0
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
    strongest = max(weight for _, _, weight in tokens)
    pieces: list[Piece] = []
    end = 0
    for start, token_end, weight in tokens:
        pieces += _between(document.text[end:start])
        text = document.text[start:token_end]
        pieces.append(Piece(text, _level(weight, strongest=strongest), weight))
        end = token_end
    return list(_joined([*pieces, *_between(document.text[end:])]))


def strongest_tokens(document: ExampleDocument, *, limit: int = 3) -> list[Piece]:
    """The tokens with the most attention among those that `shade` shades, strongest first."""
    shaded = [piece for piece in shade(document) if piece.level]
    return sorted(shaded, key=_attention, reverse=True)[:limit]


def _attention(piece: Piece) -> float:
    return piece.attention


def _level(weight: float, *, strongest: float) -> int:
    return round(LEVELS * weight / strongest) if strongest > 0 else 0


def _graphemes(document: ExampleDocument) -> list[tuple[int, int, float]]:
    """`(start, end, attention)` of tokens; those that continue a grapheme join the one before."""
    tokens: list[tuple[int, int, float]] = []
    spans = zip(document.token_starts, document.token_ends, document.attention, strict=True)
    for start, end, weight in spans:
        if tokens and tokens[-1][1] == start and _continues(document.text, start):
            before_start, _, before_weight = tokens.pop()
            tokens.append((before_start, end, before_weight + weight))
        else:
            tokens.append((start, end, weight))
    return tokens


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
