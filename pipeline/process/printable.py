"""Makes untrusted text safe to show: each control character becomes a visible one, none is long."""

from collections.abc import Mapping

MAX_NAME = 60  # characters of a name in a sentence

_PICTURES: Mapping[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def printable(text: str) -> str:
    """Replaces each character that a page or a log line cannot show.

    Control characters become their Unicode pictures (NUL becomes ␀), except tab and line feed.
    Those of U+0080 to U+009F, and surrogates, which UTF-8 cannot encode, become U+FFFD. The length
    does not change, so character offsets stay valid.
    """
    return text.translate(_PICTURES)


def shortened(name: str) -> str:
    """A name for a sentence: of a long one, only the beginning and the end.

    >>> shortened("1" + 400 * "0")
    '100000000000000000000000000000 .. 00000000000000000000000000'
    """
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME // 2]} .. {name[-(MAX_NAME // 2 - 4) :]}"
