"""Standard streams that a closed pipe or a closed descriptor cannot turn into an error.

A reader such as `head` closes the pipe when it has read enough, and a scheduler may start a
command without standard output. Neither must change what the command does or its exit code.
"""

import io
import os
import sys
from typing import Any

from typing_extensions import override


class StandardOutputError(OSError):
    """Standard output cannot be written, such as a file on a full disk. The message says so."""


class _Descriptor(io.FileIO):
    """A file descriptor for writing. What nobody reads any more is discarded."""

    @override
    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)
        except OSError as error:
            if self.fileno() != 1:
                raise
            raise StandardOutputError(
                f"standard output: expected to be written, got {error.strerror}. Write it "
                "elsewhere, or free some space."
            ) from error


def open_standard_streams() -> None:
    """Makes `sys.stdout` and `sys.stderr` safe to write to, whatever they are connected to.

    Call it once, at the start of the process: a closed descriptor would otherwise be reused by
    the next file that is opened, and messages would be written into that file.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = text_stream(1, like=sys.stdout)
    sys.stderr = text_stream(2, like=sys.stderr)


def text_stream(number: int, *, like: Any = None) -> io.TextIOWrapper:
    """A text stream that writes to a descriptor, line by line.

    Args:
        number: the descriptor.
        like: the stream whose encoding to take; UTF-8 if there is none.
    """
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number, "wb", closefd=False)),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
