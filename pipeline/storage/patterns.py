"""Patterns of paths: `*`, `?`, `[..]`, and `**`, which also crosses folders.

A name `**` stands for any number of folders, also for none: `in/**/*.csv` matches `in/a.csv`.
"""

import functools
import re

WILDCARDS = frozenset("*?[")
_NEGATIONS = "!^"  # `[!0]` and `[^0]` mean any character but 0, as in shells
# What Windows and macOS write into folders that somebody has looked at.
_OF_SYSTEMS = frozenset(
    {
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "$recycle.bin",
        "system volume information",
    }
)


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
    """Whether a path has a name that is no data's, which the pattern does not spell.

    Programs write names that begin with `.` or `_` beside data (`_SUCCESS`, `.part-0.crc`,
    `.ipynb_checkpoints`), Windows and macOS such names as `Thumbs.db`, and Office a name that
    begins with `~$` for each open file.

    Args:
        path: below the fixed folder of the pattern.
        pattern: the rest of the pattern behind this folder; empty for all files of a folder.
    """
    patterns = pattern.split("/")
    for at, name in enumerate(path.split("/")):
        of_system = name.casefold() in _OF_SYSTEMS or name.startswith("~$")
        if of_system or name.startswith((".", "_")):
            # Behind `**` a name may stand at any place.
            possible = patterns if "**" in pattern else patterns[at : at + 1]
            spelled = possible if not of_system else [each for each in possible if each == name]
            if not any(_spells_start(each) and matches(each, name) for each in spelled):
                return True
    return False


def _spells_start(pattern: str) -> bool:
    """Whether a pattern of a name says which characters the name may begin with."""
    return pattern[:1] not in ("", "*", "?") and not pattern.startswith(("[!", "[^"))


_PIECES = re.compile(r"((?:(?<=/)|\A)\*\*/|\*\*|\*|\?|\[[!^]?+\]?+[^\]/]*\])|(.)", re.DOTALL)


@functools.lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    pieces = []
    for wildcard, literal in _PIECES.findall(pattern):
        if wildcard == "**/":
            pieces.append("(?:.*/)?")
        elif wildcard == "**":
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
    negated = wildcard[1] in _NEGATIONS
    inside = re.sub(r"([\\^\[\]&~|])", r"\\\1", wildcard[2 if negated else 1 : -1])
    expression = f"(?!/)[{'^' if negated else ''}{inside}]"
    try:
        re.compile(expression)
    except re.error:  # such as [b-a]
        return re.escape(wildcard)
    return expression
