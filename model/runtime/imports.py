"""Libraries hidden from an import that would only be slower for finding them.

Beam, Arrow and Numba import optional libraries that they find installed, whether or not they are
used; a start of the command line would spend a third of its time on those.
"""

import contextlib
import sys
from collections.abc import Iterator


class _Absence:
    """A finder, to be asked before all others, that says that modules do not exist."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raises `ModuleNotFoundError` for one of the names; leaves others to other finders."""
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextlib.contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Imports in the block find none of the modules, but for those imported already.

    Afterwards they can be imported as ever. Only for modules that the importer does without.
    """
    absence = _Absence(names)
    sys.meta_path.insert(0, absence)
    try:
        yield
    finally:
        sys.meta_path.remove(absence)
