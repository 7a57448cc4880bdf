"""Libraries hidden from an import that would only be slower for finding them.

Beam and Numba import optional libraries that they find installed, whether or not they are used;
a start of the command line would spend a quarter of its time on those.
"""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Imports in the block find none of the modules, but for those imported already.

    Afterwards they can be imported as ever. Only for modules that the importer does without.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
