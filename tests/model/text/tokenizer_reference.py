"""A slow and simple second implementation of the token rule, to test the first one.

Every character becomes a letter for its class, taken from `unicodedata` and not from the tables;
the rule is then a regular expression over those letters.
"""

import re
import unicodedata
from typing import NamedTuple

from hypothesis import strategies as st

from model.config import TextConfig
from model.text.characters import CharacterClass, class_table
from tests.model.text.character_rules import class_of, lowercase_of

LETTERS = {
    "space": " ",
    "word": "w",
    "digit": "w",
    "single": "x",
    "picture": "p",
    "unassigned": "p",
    "extend": "e",
    "ignorable": "i",
    "glue": "g",
    "joiner": "j",
    "regional": "r",
    "apostrophe": "a",
}
# Glue, g, is ignorable like i, but joins two pictures.
TOKEN = {
    "drop": re.compile(
        r"[we][weig]*(?:a[ig]*w[weig]*)*|p(?:[eig]*g[ig]*p)*[eig]*|r[ig]*r?[eig]*|[xa][eig]*"
    ),
    "keep": re.compile(r"[wej]+(?:aw[wej]*)*|(?:rr?|[xpa])[ej]*(?:(?<=j)[xpa][ej]*)*"),
}
TAG = re.compile(r"<[A-Za-z/!][^<>]*>")


class Token(NamedTuple):
    """One token, as this implementation finds it."""

    surface: str
    folded: str
    start: int
    end: int


def is_known(character: str, config: TextConfig) -> bool:
    """Whether the tables' Unicode version has the character."""
    table = class_table(invisible=config.invisible)
    return table[ord(character)] != CharacterClass.UNASSIGNED


def is_ignorable(character: str, config: TextConfig) -> bool:
    """Whether a character is no part of a word."""
    return class_of(character, invisible=config.invisible) in ("ignorable", "glue")


def tokenize(text: str, config: TextConfig) -> list[Token]:
    """The tokens of one text."""
    spans = []
    end = 0
    if config.protected:
        pattern = "|".join(f"(?:{pattern})" for pattern in config.protected)
        for match in re.finditer(pattern, text, re.ASCII):
            spans += find_tokens(text, end, match.start(), config)
            start, end = match.span()
            while start < end and is_ignorable(text[start], config):
                start += 1
            if start < end:
                spans.append((start, end))
    spans += find_tokens(text, end, len(text), config)
    return [
        Token(text[start:end], fold(text[start:end], config), start, end) for start, end in spans
    ]


def find_tokens(text: str, start: int, end: int, config: TextConfig) -> list[tuple[int, int]]:
    """The spans of the tokens of `text[start:end]`."""
    letters = "".join(
        LETTERS[class_of(character, invisible=config.invisible)]
        if is_known(character, config)
        else LETTERS["unassigned"]
        for character in text[start:end]
    )
    if config.drop_html:
        for tag in TAG.finditer(text[start:end]):
            letters = letters[: tag.start()] + " " * len(tag.group()) + letters[tag.end() :]
    return [
        (start + match.start(), start + match.end())
        for match in TOKEN[config.invisible].finditer(letters)
    ]


def fold(token: str, config: TextConfig) -> str:
    """The folded token."""
    token = "".join(character for character in token if not is_ignorable(character, config))
    if config.nfkc and all(is_known(character, config) for character in token):
        token = unicodedata.normalize("NFKC", token)
    return "".join(fold_character(character, config) for character in token)


def fold_character(character: str, config: TextConfig) -> str:
    """One character of a folded token."""
    if not is_known(character, config):
        return character
    kind = class_of(character, invisible=config.invisible)
    if kind == "space":
        return " "
    if config.fold_digits and kind == "digit":
        return "0"
    return lowercase_of(character) if config.lowercase else character


# Patterns that mean the same in Python's `re` and in RE2.
PROTECTED = (r"</?e[12]>", r"@\w+", r"https?://[!-~]+", "New York", "\u200b+x")

# Characters and strings that the rule treats specially, so that short texts contain many of them.
PIECES = (
    *" \t\n\r\0\ufeff\u00a0\u200b\u2028\u3000\u202e",
    *"aBzÀßİıΣςſKé\u01c5ﬁ_ªعहиक한",
    *"07٣९９²½Ⅷ〡①",
    *"日々あゝアｱーｰﾞกำเ๒ລ។កမ",
    *".,!?-—…<>/&#@$€%^`´¨",
    *"'’‘ʼ",
    *"\u0301\u0323\u0308\u093f\u0e34\u200d\u200c\ufe0f\u00ad\u2060\u20e3\U000e0067",
    *"\u034f\u115f\u3164\ufff0\u200e\U000e0fff",
    *"\U0001f3fd\U0001f1fa\U0001f1f8\U0001f469\U0001f680❤🏴",
    *"\u0378\U0001fae8\ue000\uffff\ufffd\U0010ffff",
    *("<br />", "</p>", "<!--", "-->", "<a b>", "<e1>", "</e2>", "@you", "New York"),
    *("http://x.y/1", "don't", "İSTANBUL", "ΟΔΟΣ", "ﷺ"),
)


def texts() -> st.SearchStrategy[str]:
    """Arbitrary Unicode texts that contain many of `PIECES`."""
    anything = st.characters(exclude_categories=["Cs"])
    return st.lists(st.sampled_from(PIECES) | anything, max_size=24).map("".join)
