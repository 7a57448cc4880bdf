"""Makes untrusted text safe to show: what cannot be seen becomes visible, no name is long.

A terminal obeys control characters. Characters of format change the order in which others are
shown, or are not seen at all: a name may look like another one.
"""

import re

MAX_NAME = 60  # characters of a name in a sentence

# Ranges of regular expressions.
_C1 = "\x80-\x9f"
_DIRECTIONS = "\u202a-\u202e\u2066-\u206f"  # they change the order in which others are shown
_LINE_ENDS = "\u2028\u2029"
_NO_WIDTH = "\u180e\u200b\u2060-\u2065\ufeff"  # spaces, and signs that are not shown
_NO_LETTERS = "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e0fff"  # the last are tags
_WITHIN_WORDS = "\xad\u034f\u061c\u200c-\u200f"  # joiners and marks: some languages need them
_LIKE_SPACES = "\u115f\u1160\u17b4\u17b5\u3164\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"

_UNSEEN = re.compile(
    f"[\0-\x1f\x7f{_C1}{_DIRECTIONS}{_LINE_ENDS}{_NO_WIDTH}{_NO_LETTERS}{_WITHIN_WORDS}{_LIKE_SPACES}]"
)
# The flags of England, Scotland and Wales are the one use of tags.
_DECEPTIVE = re.compile(
    "\U0001f3f4[\U000e0061-\U000e007a]{4,6}\U000e007f"
    f"|[\0-\x08\x0b-\x1f\x7f{_C1}{_DIRECTIONS}{_LINE_ENDS}{_NO_WIDTH}{_NO_LETTERS}]"
)
_WITHOUT_WIDTH = re.compile(f"[{_NO_WIDTH}]")


def printable(text: str) -> str:
    r"""The text on one line of a terminal or a log, as characters that can be seen.

    Control characters become their Unicode pictures (NUL becomes ␀, a line feed ␊). Those of
    U+0080 to U+009F, surrogates, and characters that are invisible or change the order of others
    become escapes, as in Python.

    >>> printable("invoice\u202efdp.exe")
    'invoice\\u202efdp.exe'
    """
    return _UNSEEN.sub(_escaped, text)


def readable(text: str) -> str:
    """The text on a page, with other characters for those that could deceive its reader.

    Control characters become their Unicode pictures, except tab and line feed. Line separators
    become ␤ and spaces without a width ␣. Those of U+0080 to U+009F, surrogates, which UTF-8 cannot
    encode, tags, and characters that change the order of others become U+FFFD. What languages need
    within words, such as Persian and emoji the joiners, stays. The length does not change, so
    character offsets stay valid.
    """
    return _DECEPTIVE.sub(_replaced, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0x7F:
        return _picture(code)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, in the name of a file
        return f"\\x{code - 0xDC00:02x}"
    return ascii(match[0])[1:-1]


def _replaced(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) > 1:
        return found
    if found <= "\x7f":
        return _picture(ord(found))
    if found in _LINE_ENDS:
        return "␤"
    return "␣" if _WITHOUT_WIDTH.match(found) else "\ufffd"


def _picture(code: int) -> str:
    return "␡" if code == 0x7F else chr(0x2400 + code)


def shortened(name: str) -> str:
    """A name for a sentence: of a long one, only the beginning and the end.

    >>> shortened("1" + 400 * "0")
    '100000000000000000000000000000 .. 00000000000000000000000000'
    """
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME // 2]} .. {name[-(MAX_NAME // 2 - 4) :]}"
