"""Names of files for rows and document ids. No two files of a corpus have the same name.

The name is the path below the folder of the file's input: `a/x.csv` for a file of `corpus/*/x.csv`.
It does not depend on which other files the pattern matches, or on the working directory. A folder
that stands for a date (`2026-11-20`, `dt=2026-11-20`, `2026/11/20`) and what follows it are a part
of the name, so that the files of two nights have different names.
"""

import os
import re
from collections.abc import Collection, Sequence

from pipeline.storage.folders import is_local

_DATE = re.compile(
    r"(?<!\d)((19|20)\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])|[0-3]\d-[01]\d-(19|20)\d\d)(?!\d)"
    r"|^(19|20)\d\d-(0[1-9]|1[0-2])$"
    r"|^\w+=."
)
_YEAR, _MONTH = re.compile(r"(19|20)\d\d"), re.compile(r"0?[1-9]|1[0-2]")


def source_names(inputs: Sequence[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """A name for each path.

    The files of an input whose folder differs from the first input's are named with the last
    part of that folder too, or as many parts as make its names different from the earlier ones.

    Args:
        inputs: the folder of each input and the paths of its files, all of them below the folder.
    """
    by_root: dict[str, dict[str, str]] = {}
    for folder, paths in inputs:
        root = _root(folder)
        inside = by_root.setdefault(root, {})
        inside |= {path: _absolute(path)[len(root) :].lstrip("/") for path in paths}
    names: dict[str, str] = {}
    labels: set[str] = set()
    for root, inside in by_root.items():
        label = _label(root, inside.values(), taken=set(names.values()), others=labels)
        labels.add(label)
        names |= {path: label + name for path, name in inside.items()}
    return names


def _label(root: str, inside: Collection[str], *, taken: set[str], others: set[str]) -> str:
    """What the names of a folder's files begin with."""
    if not others:
        return ""
    parts = [part for part in root.split("/") if part]
    for count in range(1, len(parts) + 1):
        label = "/".join([*parts[-count:], ""])
        if label not in others and taken.isdisjoint(label + name for name in inside):
            return label
    return f"{root}/"


def _root(folder: str) -> str:
    """The folder, or the folder before the first of its parts that stands for a date."""
    parts = _absolute(folder).split("/")
    for at, part in enumerate(parts):
        year = _YEAR.fullmatch(part) and at + 1 < len(parts) and _MONTH.fullmatch(parts[at + 1])
        if year or _DATE.search(part):
            return "/".join(parts[:at])
    return "/".join(parts)


def _absolute(path: str) -> str:
    """The path from the root of its filesystem, without a slash at its end."""
    return (os.path.abspath(path) if is_local(path) else path).rstrip("/")
