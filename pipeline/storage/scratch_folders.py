"""Temporary folders that a killed process does not leave for ever."""

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator

# The name of the machine, because a lock may be unknown to other machines that share the disk.
# Short: the names of sockets, which libraries put into temporary folders, have about 100 bytes.
MACHINE = zlib.crc32(os.uname().nodename.encode())
PREFIX = f"limelight.{MACHINE:08x}."


@contextlib.contextmanager
def scratch_folder(purpose: str) -> Iterator[str]:
    """A new folder for temporary files, which is deleted at the end of the block.

    The process holds a lock on the folder, which the system takes back however the process ends.
    The first scratch folder of a later process deletes those of this user and this machine that
    nobody holds, in the same place (`TMPDIR`).

    Args:
        purpose: a word for the name of the folder.
    """
    _sweep(tempfile.gettempdir())
    folder, lock = _make(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@functools.cache  # once a process
def gather_temporary_files() -> None:
    """Makes all temporary files of this process lie in one scratch folder, those of libraries too.

    It is deleted when the process ends, or by a later process. Where none can be made, nothing
    changes: what needs a temporary file will say so.
    """
    stack = contextlib.ExitStack()
    with contextlib.suppress(OSError):
        tempfile.tempdir = stack.enter_context(scratch_folder("all"))
        atexit.register(stack.close)


def _make(purpose: str) -> tuple[str, int]:
    """A new folder and its lock. Another process may delete it before it is locked: try again."""
    while True:
        folder = tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-")
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with contextlib.suppress(OSError):  # a filesystem without locks is never swept
                fcntl.flock(lock, fcntl.LOCK_SH)
            if os.path.isdir(folder):
                return folder, lock
            os.close(lock)


@functools.cache  # once a process
def _sweep(place: str) -> None:
    """Deletes the scratch folders of this user that no living process holds."""
    with os.scandir(place) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
    for name in names:
        folder = os.path.join(place, name)
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
