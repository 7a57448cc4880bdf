"""Reads small files that anybody may have written, on any filesystem."""

from pathlib import Path

from model.files.regular_files import read_limited, read_regular
from pipeline.storage.files import Files
from pipeline.storage.folders import is_local


def read_small(files: Files, path: str, *, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes; on this machine it must be a regular one.

    Raises:
        OSError: if it cannot be read.
        ConfigError: if it is larger, or a link, a FIFO, a device or a folder.
    """
    if is_local(path):
        return read_regular(Path(path), limit=limit)
    with files.open(path) as stream:
        return read_limited(stream, limit=limit, where=path)
