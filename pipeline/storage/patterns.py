"""Patterns of paths: `*`, `?`, `[..]`, and `**`, which also crosses folders."""

import functools
import re

WILDCARDS = frozenset("*?[")


def fixed_folder(pattern: str) -> str:
    """The folder before the first name with a wildcard; empty for a relative name alone."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    folder, slash, _ = fixed.rpartition("/")
    return folder or slash


def below(folder: str, path: str) -> str:
    """The part of a path behind its folder."""
    return path[len(folder) :].lstrip("/") if folder else path


def matches(pattern: str, path: str) -> bool:
    """Whether a whole path matches a pattern."""
    return _regex(pattern).fullmatch(path) is not None


def is_hidden(path: str, pattern: str) -> bool:
    """Whether a path has a name that begins with `.` or `_`, which the pattern does not spell.

    Programs write such names beside data: `_SUCCESS`, `.part-0.crc`, `.ipynb_checkpoints`.

    Args:
        path: below the fixed folder of the pattern.
        pattern: the rest of the pattern behind this folder; empty for all files of a folder.
    """
    patterns = pattern.split("/")
    for at, name in enumerate(path.split("/")):
        if name.startswith((".", "_")):
            # Behind `**` a name may stand at any place.
            possible = patterns if "**" in pattern else patterns[at : at + 1]
            if not any(each[:1] not in ("", "*", "?") and matches(each, name) for each in possible):
                return True
    return False


_PIECES = re.compile(r"(\*\*|\*|\?|\[!?+\]?+[^\]/]*\])|(.)", re.DOTALL)


@functools.lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    pieces = []
    for wildcard, literal in _PIECES.findall(pattern):
        if wildcard == "**":
            pieces.append(".*")
        elif wildcard == "*":
            pieces.append("[^/]*")
        elif wildcard == "?":
            pieces.append("[^/]")
        elif wildcard:
            pieces.append(_one_of(wildcard))
        else:
            pieces.append(re.escape(literal))
    return re.compile("".join(pieces), re.DOTALL)


def _one_of(wildcard: str) -> str:
    """The regular expression for `[..]`; the characters themselves if the range is none."""
    inside = re.sub(r"([\\^\[\]&~|])", r"\\\1", wildcard[1:-1].removeprefix("!"))
    expression = f"(?!/)[{'^' if wildcard[1] == '!' else ''}{inside}]"
    try:
        re.compile(expression)
    except re.error:  # such as [b-a]
        return re.escape(wildcard)
    return expression
