"""How this package compiles its Numba kernels."""

from collections.abc import Callable
from typing import Any

from model.runtime.blocked_imports import block_imports

# Numba imports SciPy where it is installed, for functions such as `np.dot`, which import it
# again when they are compiled. No kernel here uses them. See `block_imports` for the time saved.
with block_imports("scipy"):
    import numba
    import numba.np.arraymath


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes Numba compile `function` at its first call; the machine code runs without the GIL.

    Numba caches the machine code on disk: beside the module, or, where that folder is read-only,
    in the user's cache folder (the environment variable `NUMBA_CACHE_DIR` names another). Where
    it can write to neither, as in a read-only container, every process compiles for itself.
    """
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # Numba found no folder for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)
