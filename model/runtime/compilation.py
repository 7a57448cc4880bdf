"""How this package compiles its Numba kernels."""

from collections.abc import Callable
from typing import Any

from model.runtime.imports import hidden

# Numba imports SciPy if it is there, for `np.dot` and its like, which look for it again.
with hidden("scipy"):
    import numba
    import numba.np.arraymath


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles `function` at its first call; it runs without the GIL.

    The machine code is cached beside the module, or, where that folder cannot be
    written, in the user's cache folder (`NUMBA_CACHE_DIR` names another). Where neither
    can be written, as in a locked-down container, every process compiles anew.
    """
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # Numba found no folder for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)
