"""Which files a path or a pattern means.

A path that exists as it is written is that file or folder, whatever wildcards are in it; it is
refused if it is a pattern that it and others match. A folder
means all files below it, in its folders too. A pattern means the files that match it, and the files
below each matching folder that is named like data (`all.parquet/`, as Spark writes it). Other
folders that match, and names that begin with `.` or `_`, are left out. A file that is also met by a
link is read once, and the link is left out.
"""

import contextlib
import dataclasses
import os
import re
from collections.abc import Callable

from pipeline.storage.files import FileInfo, Files
from pipeline.storage.folders import is_local
from pipeline.storage.local_files import irregular_kind
from pipeline.storage.patterns import WILDCARDS, below, fixed_folder, is_hidden, matches

# Files in /dev/shm are in memory, but files. Those of /proc and /sys are of the machine: some hang,
# and /proc/self/environ holds the secrets of this process.
_DEVICES = re.compile("/proc(/|$)|/sys(/|$)|/dev(/|$)(?!shm(/|$))")


class UnusableFileError(OSError):
    """A path names something that cannot be read like a file. The message says what to do."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matched:
    """The files that a pattern means.

    Attributes:
        folder: the folder that the pattern begins with, before its first wildcard.
        files: sorted by path.
        left_out: files and folders that match but are not read, sorted.
    """

    folder: str
    files: list[FileInfo]
    left_out: list[str]


def match_files(files: Files, pattern: str, *, is_data: Callable[[str], bool]) -> Matched:
    """Finds the files that a path or a pattern means.

    Args:
        files: where they lie.
        pattern: a path, a folder or a pattern.
        is_data: whether a folder of this name holds one file's data in parts.

    Raises:
        OSError: if a folder cannot be listed.
        UnusableFileError: for a link without a target, a device, a pipe, a name that is not UTF-8.
    """
    if is_local(pattern):
        return _match_local(pattern, is_data)
    return _match_store(files, pattern, is_data)


def _require_one_meaning(pattern: str, match: Callable[[], Matched]) -> None:
    """Refuses a path that exists and is a pattern, too, which it and other files match.

    Whoever supplies files could otherwise add one with the name `*.csv`, which would be read in
    place of all the others.
    """
    name = below(fixed_folder(pattern), pattern)
    if WILDCARDS.isdisjoint(pattern) or not matches(name, name):
        return
    others = [info.path for info in match().files if not f"{info.path}/".startswith(f"{pattern}/")]
    if others:
        escaped = re.sub(r"[*?\[]", r"[\g<0>]", pattern)
        raise UnusableFileError(
            f"{pattern}, which is the name of a file and matches others, such as {others[0]}. "
            f"Write {escaped} for that one alone, or rename it"
        )


def _match_store(files: Files, pattern: str, is_data: Callable[[str], bool]) -> Matched:
    """An object store has no folders, only names with slashes, all of which it lists."""
    if WILDCARDS.isdisjoint(pattern):
        found = {info.path: info for info in files.match(pattern)}
        if pattern not in found:
            found |= {info.path: info for info in files.match(f"{pattern.rstrip('/')}/**")}
    else:
        literal = pattern[: min(pattern.index(mark) for mark in WILDCARDS & set(pattern))]
        found = {info.path: info for info in files.match(f"{literal}**")}
    folder = fixed_folder(pattern)
    if pattern in found:
        _require_one_meaning(
            pattern, lambda: _chosen(folder, below(folder, pattern), found, is_data)
        )
        folder = pattern.rpartition("/")[0]
        return Matched(folder=folder, files=[found[pattern]], left_out=[])
    whole = pattern.rstrip("/")
    if any(path.startswith(f"{whole}/") for path in found):
        return _chosen(whole, "", found, is_data)
    return _chosen(folder, below(folder, pattern), found, is_data)


def _chosen(
    folder: str, rest: str, found: dict[str, FileInfo], is_data: Callable[[str], bool]
) -> Matched:
    """Of the objects of a store, those that a pattern means: `rest` behind its fixed folder."""
    chosen, left_out = [], set()
    for path, info in found.items():
        if not path.startswith(f"{folder}/"):
            continue
        name = below(folder, path)
        if not name or name.endswith("/"):  # a marker of an empty folder
            continue
        met = _met(name, rest)
        if met is None:
            continue
        whole = not rest or met == name
        if is_hidden(name, rest):
            left_out.add(f"{folder}/{_first_hidden(name, rest)}")
        elif whole or is_data(met):
            chosen.append(info)
        else:
            left_out.add(f"{folder}/{met}/")
    return Matched(folder=folder, files=sorted(chosen, key=_path), left_out=sorted(left_out))


def _met(name: str, rest: str) -> str | None:
    """The file or folder of a path that matches; None if there is none."""
    if not rest or matches(rest, name):
        return name
    folders = name.split("/")[:-1]
    prefixes = ("/".join(folders[:count]) for count in range(1, len(folders) + 1))
    return next((prefix for prefix in prefixes if matches(rest, prefix)), None)


def _first_hidden(name: str, rest: str) -> str:
    """The path up to the first name that is left out."""
    parts = name.split("/")
    prefixes = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return next(prefix for prefix in prefixes if is_hidden(prefix, rest))


def _match_local(pattern: str, is_data: Callable[[str], bool]) -> Matched:
    if _DEVICES.match(pattern) or _DEVICES.match(os.path.realpath(pattern)):
        _refuse_machine(pattern)
    folder = fixed_folder(pattern)
    if os.path.lexists(pattern):
        _require_one_meaning(
            pattern, lambda: _Walk(folder, below(folder, pattern), is_data).matched()
        )
        if os.path.isdir(pattern):
            return _Walk(pattern.rstrip("/") or "/", "", is_data).matched()
        return Matched(folder=os.path.dirname(pattern), files=[_file(pattern)], left_out=[])
    if WILDCARDS.isdisjoint(pattern):
        return Matched(folder=os.path.dirname(pattern), files=[], left_out=[])
    if pattern.endswith("/"):
        pattern += "*"
        folder = fixed_folder(pattern)
    return _Walk(folder, below(folder, pattern), is_data).matched()


class _Walk:
    """A walk through a local folder and the folders below it that may hold matching files.

    Links to folders are followed after everything else, and no folder is entered twice: a link that
    leads upwards would never end, and a second link to a folder would give its rows twice.
    """

    def __init__(self, folder: str, rest: str, is_data: Callable[[str], bool]) -> None:
        self._folder = folder
        self._rest = rest
        self._names = rest.split("/")
        self._is_data = is_data
        self._entered: set[str] = set()
        self._links: list[tuple[str, bool]] = []
        self._files: list[FileInfo] = []
        self._left_out: list[str] = []

    def matched(self) -> Matched:
        if os.path.isdir(self._folder or "."):
            self._enter("", everything=not self._rest)
        while self._links:
            name, everything = self._links.pop(0)
            self._enter(name, everything=everything)
        files, links = _without_links_to(self._files)
        return Matched(
            folder=self._folder,
            files=sorted(files, key=_path),
            left_out=sorted([*self._left_out, *links]),
        )

    def _enter(self, name: str, *, everything: bool) -> None:
        """Takes the matching files of a folder, or all, and enters its folders."""
        path = self._path(name)
        real = os.path.realpath(path)
        if _DEVICES.match(real):
            _refuse_machine(path)
        if real in self._entered:
            self._left_out.append(f"{path}/")
            return
        self._entered.add(real)
        with os.scandir(path or ".") as listed:
            entries = sorted(listed, key=_name)
        for entry in entries:
            below_folder = f"{name}/{entry.name}" if name else entry.name
            self._meet(entry, below_folder, everything=everything)

    def _meet(self, entry: "os.DirEntry[str]", name: str, *, everything: bool) -> None:
        met = everything or matches(self._rest, name)
        if is_hidden(name, self._rest):
            if met or (entry.is_dir() and self._holds_match(name)):
                self._left_out.append(self._path(name) + ("/" if entry.is_dir() else ""))
            return
        if not entry.is_dir():
            if met:
                self._files.append(_file(self._path(name)))
            return
        whole = everything or (met and self._is_data(entry.name))
        if not whole and not self._may_hold_matches(name):
            if met:
                self._left_out.append(f"{self._path(name)}/")
        elif entry.is_symlink():
            self._links.append((name, whole))
        else:
            self._enter(name, everything=whole)

    def _may_hold_matches(self, name: str) -> bool:
        """Whether a file below a folder can match."""
        parts = name.split("/")
        if "**" in self._rest:
            first = next(at for at, each in enumerate(self._names) if "**" in each)
            names = self._names[:first]
        else:
            names = self._names[:-1]
            if len(parts) > len(names):
                return False
        return all(map(matches, names, parts))

    def _holds_match(self, name: str) -> bool:
        """Whether a file below a folder does match."""
        if not self._may_hold_matches(name):
            return False
        with contextlib.suppress(OSError), os.scandir(self._path(name)) as entries:
            for entry in entries:
                inner = f"{name}/{entry.name}"
                is_folder = entry.is_dir(follow_symlinks=False)
                if self._holds_match(inner) if is_folder else matches(self._rest, inner):
                    return True
        return False

    def _path(self, name: str) -> str:
        if not name or not self._folder:
            return name or self._folder
        return f"{self._folder.rstrip('/')}/{name}"


def file_identity(path: str, folders: dict[str, str]) -> str:
    """A path that is the same for all spellings of one file, and for links to it.

    The names in an object store are as they are; `a//b` is another object than `a/b`.

    Args:
        path: the file.
        folders: the real paths of folders, to which that of this file's folder is added.
    """
    if not is_local(path):
        return path
    if os.path.islink(path):
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder or ".")
    return os.path.join(folders[folder], name)


def _without_links_to(found: list[FileInfo]) -> tuple[list[FileInfo], list[str]]:
    """Files, each of them once, and the paths of the links to these files."""
    folders: dict[str, str] = {}
    files: dict[str, FileInfo] = {}
    links = []
    for info in sorted(found, key=lambda each: (os.path.islink(each.path), each.path)):
        if files.setdefault(file_identity(info.path, folders), info) is not info:
            links.append(info.path)
    return list(files.values()), links


def _file(path: str) -> FileInfo:
    """A local file, if it is one.

    Raises:
        UnusableFileError: if it cannot be read like a file.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if not os.path.islink(path):
            raise
        raise UnusableFileError(
            f"{path}, a symbolic link whose target does not exist. Repair or delete the link"
        ) from None
    kind = irregular_kind(found.st_mode)
    if kind is not None:
        raise UnusableFileError(
            f"{path}, {kind}, which can be read only once; a run reads its files several times. "
            "Write the data to a file first"
        )
    if os.path.islink(path) and _DEVICES.match(os.path.realpath(path)):
        _refuse_machine(path)
    if shown_path(path) != path:
        raise UnusableFileError(
            f"{shown_path(path)}, whose name is not UTF-8, as names in rows and manifests must be. "
            "Rename the file or its folder, such as with: convmv -f latin1 -t utf8 --notest -r DIR"
        )
    return FileInfo(path=path, bytes=found.st_size)


def shown_path(path: str) -> str:
    r"""A path in which bytes that are not UTF-8 are shown as escapes.

    >>> print(shown_path("caf\udce9.jsonl"))
    caf\xe9.jsonl
    """
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _refuse_machine(path: str) -> None:
    raise UnusableFileError(
        f"{path}, a device or a file of the machine itself (/dev, /proc, /sys), which can be read "
        "only once or holds no data. Write the data to a file first"
    )


def _path(info: FileInfo) -> str:
    return info.path


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name
