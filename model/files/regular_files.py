"""Opens a file only if it is a regular one of an expected size.

To open a FIFO or a device may wait for ever, and a link may lead to any file of this machine.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from model.config import ConfigError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Opening neither follows a link nor waits, should the file be replaced after it was looked at.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def describe_kind(mode: int) -> str | None:
    """What stands in place of a regular file, in words; None if it is one.

    Args:
        mode: `st_mode` from `os.lstat`.
    """
    kind = stat.S_IFMT(mode)
    return None if kind == stat.S_IFREG else _KINDS.get(kind, "something else")


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file to read its bytes.

    Raises:
        OSError: if there is none, or it cannot be read.
        ConfigError: if it is a folder, a link, a FIFO, a socket or a device.
    """
    _require_regular(path, os.lstat(path).st_mode)
    stream = open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS))  # noqa: SIM115
    try:
        _require_regular(path, os.fstat(stream.fileno()).st_mode)
    except ConfigError:
        stream.close()
        raise
    return stream


def read_regular(path: Path, *, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises:
        OSError: if there is none, or it cannot be read.
        ConfigError: if it is something else than a regular file, or larger.
    """
    with open_regular(path) as stream:
        return read_limited(stream, limit=limit, where=str(path))


def read_limited(stream: BinaryIO, *, limit: int, where: str) -> bytes:
    """The rest of a stream, if it has at most `limit` bytes.

    Raises:
        ConfigError: if it has more; the message names `where`.
    """
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise ConfigError(
            f"{where}: expected at most {limit:,} bytes, got more. It is another file than it "
            "should be, or a damaged one."
        )
    return content


def decode_utf8(content: bytes, *, where: str) -> str:
    """The text of a file.

    Raises:
        ConfigError: if it is not UTF-8; the message names `where`.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{where}: expected UTF-8 text, got other bytes from byte {error.start}. "
            "Save the file as UTF-8."
        ) from None


def _require_regular(path: Path, mode: int) -> None:
    got = describe_kind(mode)
    if got is not None:
        raise ConfigError(
            f"{path}: expected a regular file, got {got}. Put the file itself in its place."
        )
