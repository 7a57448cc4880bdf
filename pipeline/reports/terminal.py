"""A prediction in the terminal: tokens colored by attention."""

import unicodedata

from rich.text import Text

from pipeline.corpora.scoring.gallery import ExampleDocument

# Backgrounds from no attention to the most, readable on dark and on light terminals.
SHADES = ("", "on grey85", "on light_goldenrod2", "on gold1", "on dark_orange", "on red1")


def explain_prediction(shown: ExampleDocument) -> Text:
    """The text with its tokens shaded, under the label and its probability."""
    line = Text.assemble(
        ("label  ", "dim"), (terminal_safe(shown.label), "bold"), f"  {shown.score:.3f}\n"
    )
    strongest = max(shown.attention)
    end = 0
    for start, stop, weight in zip(
        shown.token_starts, shown.token_ends, shown.attention, strict=True
    ):
        line.append(terminal_safe(shown.text[end:start]))
        shade = SHADES[round(weight / strongest * (len(SHADES) - 1))]
        line.append(terminal_safe(shown.text[start:stop]), style=f"black {shade}" if shade else "")
        end = stop
    line.append(terminal_safe(shown.text[end:]))
    top = sorted(zip(shown.attention, shown.token_starts, shown.token_ends, strict=True))[:-6:-1]
    weights = ", ".join(
        f"{terminal_safe(shown.text[start:stop])} {weight:.2f}" for weight, start, stop in top
    )
    line.append(f"\nmost attended: {weights}", style="dim")
    return line


def terminal_safe(text: str) -> str:
    """The text without the characters that a terminal obeys: controls and text directions."""
    return "".join(
        " " if character in "\n\t" else character
        for character in text
        if character in "\n\t"
        or unicodedata.category(character) not in ("Cc", "Cf")
        or character in "\u200c\u200d"
    )
