"""Untrusted text made safe to show: control characters become pictures of themselves."""

from collections.abc import Mapping

_PICTURES: Mapping[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def printable(text: str) -> str:
    """Text that any page can hold, character for character.

    Control characters become their Unicode pictures (NUL is ␀) except tab and
    line feed; what UTF-8 cannot encode becomes U+FFFD. The length stays, so
    character offsets stay true.
    """
    return text.translate(_PICTURES)
