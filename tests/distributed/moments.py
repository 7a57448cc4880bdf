"""A scoring run that counts its steps, called moments, and kills itself at a chosen one.

`run` is called in a forked process, because the kill ends that process.
"""

import functools
import io
import json
import os
import signal
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet  # noqa: F401 - imported before the fork, like the next

import pipeline.transforms.score_documents as scoring
from pipeline.stages import prepare, score, unit_planning  # noqa: F401
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights

UNIT_BYTES = 900  # so that a small corpus makes several files

_lock = threading.Lock()
_trace: list[str] = []
_fatal: int | None = None


def moment(what: str) -> None:
    """Records a moment; at the fatal one it kills this process with SIGKILL."""
    with _lock:
        _trace.append(what)
        if len(_trace) == _fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedFiles(BeamFiles):
    """Beam's files that record a moment before and after each change and each read of a corpus."""

    def open(self, path: str) -> BinaryIO:
        if "/corpus/" not in path:
            return super().open(path)
        moment(f"open {path}")
        return _Reading(super().open(path), path)

    def create(self, path: str) -> BinaryIO:
        moment(f"create {path}")
        return _Writing(super().create(path), path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for source, target in moves:
            moment(f"move {target}")
            super().move([(source, target)])
            moment(f"moved {target}")

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            moment(f"delete {path}")
            super().delete([path])
            moment(f"deleted {path}")


class _Reading(io.BufferedReader):
    def __init__(self, inner: BinaryIO, path: str) -> None:
        super().__init__(io.BytesIO(inner.read()))
        self._path = path

    def read(self, size: int | None = -1) -> bytes:
        moment(f"read {self._path}")
        return super().read(size)


class _Writing(io.BytesIO):
    """Writes half of a file, then the rest, and records a moment after each."""

    def __init__(self, inner: BinaryIO, path: str) -> None:
        super().__init__()
        self._inner = inner
        self._path = path

    def close(self) -> None:
        if self.closed:
            return
        content = self.getvalue()
        half = len(content) // 2
        super().close()
        self._inner.write(content[:half])
        self._inner.flush()
        moment(f"half {self._path}")
        self._inner.write(content[half:])
        self._inner.close()
        moment(f"written {self._path}")


def run(nights: Nights, *, fatal: int | None, trace: str | None) -> None:
    """Scores the date's corpus. Dies at the `fatal` moment, or writes all moments to `trace`."""
    global _fatal
    _fatal = fatal
    _trace.clear()
    unit_planning.group_units = functools.partial(unit_planning.group_units, unit_bytes=UNIT_BYTES)
    score_batch = scoring.score_documents

    def counted(*arguments: Any, **options: Any) -> Any:
        moment("score")
        scored = score_batch(*arguments, **options)
        moment("scored")
        return scored

    scoring.score_documents = counted
    nights.score(files=CountedFiles())
    if trace is not None:
        Path(trace).write_text(json.dumps(_trace))
