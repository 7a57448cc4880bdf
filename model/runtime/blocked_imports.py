"""Keeps a library from importing optional libraries that this program does not need.

Beam, Arrow and Numba import optional libraries that are installed, even if nothing uses them.
`python -m pipeline score` of one document takes 2.07 s of CPU time with those imports blocked and
2.82 s without (medians of 7 runs in turns, `python -m tests.benchmarks.bench_start`): 27 % less.
"""

import contextlib
import sys
from collections.abc import Iterator


class _BlockingFinder:
    """A finder for `sys.meta_path` that reports the named modules as not installed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raises `ModuleNotFoundError` for a blocked name; leaves others to the other finders."""
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextlib.contextmanager
def block_imports(*names: str) -> Iterator[None]:
    """Makes imports of the named modules fail inside the block, as if they were not installed.

    Modules that were imported before stay available. After the block all can be imported. Block
    only modules that the importing library can do without.
    """
    finder = _BlockingFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
