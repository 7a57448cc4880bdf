"""A prediction in the terminal: tokens colored by attention, and the wide part's contributions."""

from rich.text import Text

from pipeline.corpora.scoring.gallery import ExampleDocument
from pipeline.process.printable import printable
from pipeline.reports.formats import percent
from pipeline.reports.shading import strongest_contributions

# Backgrounds from no attention to the most, readable on dark and on light terminals.
SHADES = ("", "on grey85", "on light_goldenrod2", "on gold1", "on dark_orange", "on red1")

_LINE_ENDS = "\n\t\u2028\u2029"
_KEPT = _LINE_ENDS + "\u200c\u200d"


def explain_prediction(shown: ExampleDocument, *, max_unknown: float | None = None) -> Text:
    """The text with its tokens shaded, under the label and its probability.

    Below it stand the most attended tokens and, where the model has a wide part, its score of the
    label with the tokens that contribute most to it.

    Args:
        shown: the document; its share of unknown tokens is known.
        max_unknown: above this share a line says that the document is not answered.
    """
    line = Text.assemble(
        ("label  ", "dim"), (terminal_safe(shown.label), "bold"), f"  {shown.score:.3f}\n"
    )
    share = shown.unknown_share or 0.0
    if max_unknown is not None and share > max_unknown:
        line = Text.assemble(
            ("not answered", "bold"),
            f": the vocabulary lacks {percent(share)} of the tokens, more than "
            f"{percent(max_unknown)} (scoring.max_unknown); otherwise:\n",
            line,
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
    if shown.contributions is not None:
        line.append(f"\nwide part: {_describe_contributions(shown)}", style="dim")
    return line


def _describe_contributions(shown: ExampleDocument) -> str:
    """The wide part's score of the label, and the tokens that contribute most to it."""
    score = sum(shown.contributions or ()) + shown.contributions_rest
    tokens = [
        f"{terminal_safe(text)} {value:+.2f}"
        for text, value in strongest_contributions(shown, limit=5)
    ]
    rest = f"bias and cut tokens {shown.contributions_rest:+.2f}"
    return f"{score:+.2f} for {terminal_safe(shown.label)}: " + ", ".join([*tokens, rest])


def terminal_safe(text: str) -> str:
    """The text without what a terminal obeys or does not show; line ends become spaces.

    The joiners of Persian words and of emoji stay.
    """
    return "".join(
        " " if character in _LINE_ENDS else character
        for character in text
        if character in _KEPT or printable(character) == character
    )
