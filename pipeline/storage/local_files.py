"""Opens local files that are files: a named pipe without a writer would be waited for for ever."""

import errno
import os
import stat
from typing import BinaryIO

from typing_extensions import override

from model.files.regular_files import describe_kind


class IrregularFileError(OSError):
    """A path names a pipe, a socket or a device; `strerror` says which."""

    @override
    def __str__(self) -> str:
        return f"{self.filename}: expected a file, got {self.strerror}. Name a file instead."


def irregular_kind(mode: int) -> str | None:
    """What is no regular file, by the mode of `os.stat`; None for a regular file or a folder."""
    return None if stat.S_ISDIR(mode) else describe_kind(mode)


def open_local(path: str | os.PathLike[str], *, new: bool = False) -> BinaryIO:
    """Opens a file, or what a link to one names, to read its bytes or to write it anew.

    Raises:
        IrregularFileError: if it is a pipe or a socket, or is read and a device.
        OSError: for any other failure.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:  # `open` raises it, or makes the file
        mode = stat.S_IFREG
    kind = irregular_kind(mode)
    if kind is not None and not (new and stat.S_ISCHR(mode)):  # such as /dev/null
        raise IrregularFileError(errno.EINVAL, kind, os.fspath(path))
    # Even a pipe that has just taken the place of the file does not hang.
    return open(path, "wb" if new else "rb", opener=_without_waiting)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
