"""How this package compiles its Numba kernels."""

import contextlib
import hashlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from model.runtime.blocked_imports import block_imports
from model.runtime.kernel_cache import KernelCache

# Numba imports SciPy where it is installed, for functions such as `np.dot`, which import it
# again when they are compiled. No kernel here uses them. See `block_imports` for the time saved.
with block_imports("scipy"):
    import numba
    import numba.np.arraymath


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes Numba compile `function` at its first call; the machine code runs without the GIL.

    Numba caches the machine code on disk, in the folder of `kernel_cache.cache_folder`. Where
    there is none, as in a read-only container, every process compiles for itself.
    """
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # no folder for its cache
        dispatcher._cache = KernelCache(function)
    return dispatcher


def compiled_with(*emitters: ModuleType) -> Callable[[Callable[..., Any]], Any]:
    """Like `compiled`, for functions that call code which other modules emit.

    Numba takes machine code from its cache if the file of the function has the same date and size
    as when the code was compiled. It does not know of other modules, and would go on using the old
    code when one of `emitters` has changed. Their sources are therefore added to what it compares.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher: Any = compiled(function)
        cache_file = getattr(dispatcher._cache, "_cache_file", None)
        if cache_file is not None:  # None where no cache can be written
            sources = "".join(inspect.getsource(emitter) for emitter in emitters)
            digest = hashlib.sha256(sources.encode()).hexdigest()
            cache_file._source_stamp = (cache_file._source_stamp, digest)
        return dispatcher

    return decorate
