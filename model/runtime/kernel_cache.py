"""Where the machine code of kernels is kept between runs.

Numba keeps it in pickles, and reading a pickle can run any code: whoever can write the folder runs
code as this user. So a folder is used only where no other user can write.
"""

import contextlib
import functools
import logging
import os
import tempfile
import threading
from typing import Any

from typing_extensions import override

from model.runtime.blocked_imports import block_imports
from model.runtime.private_folders import find_intruder

with block_imports("scipy"):  # see `model.runtime.compilation`
    from numba.core import caching
    from numba.core import config as numba_config
    from numba.misc.appdirs import AppDirs

config: Any = numba_config  # its attributes are made as it is imported
SUFFIXES = (".nbi", ".nbc")  # Numba's index files and data files

logger = logging.getLogger("limelight")


class _OwnFolder(caching.UserProvidedCacheLocator):
    """Tells Numba the folder of `cache_folder`."""

    def __init__(self, function: Any, file: str, folder: str) -> None:
        super().__init__(function, file)
        self._cache_path = folder

    @classmethod
    @override
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        if not os.path.exists(py_file):
            return None
        folder = cache_folder(os.path.dirname(os.path.abspath(py_file)))
        return folder and cls(py_func, py_file, folder)


class _Code(caching.CompileResultCacheImpl):
    _locator_classes: Any = (_OwnFolder,)

    def __init__(self, function: Any) -> None:
        locators, config.CACHE_LOCATOR_CLASSES = config.CACHE_LOCATOR_CLASSES, ""
        try:
            super().__init__(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = locators


class KernelCache(caching.FunctionCache):
    """Numba's cache of one function, in a folder that only this user and root can write.

    Raises:
        RuntimeError: (by the constructor) if there is no such folder.
    """

    _impl_class = _Code

    @override
    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # the disk is full: the next process compiles again
            super().save_overload(sig, data)


@functools.cache
def cache_folder(modules: str) -> str | None:
    """The folder for the code of modules, which exists then; None if there is no safe one.

    It is below the folder that the environment variable `NUMBA_CACHE_DIR` names. Without the
    variable it is beside the modules, or else in the user's cache folder.

    Args:
        modules: the folder of the modules.
    """
    below = caching.UserProvidedCacheLocator.get_suitable_cache_subpath(f"{modules}/module.py")
    if config.CACHE_DIR:
        places = [(config.CACHE_DIR, below)]
    else:
        users = AppDirs(appname="numba", appauthor=False).user_cache_dir
        places = [(modules, "__pycache__"), (users, below)]
    problems = []
    for place, name in places:
        folder = os.path.join(os.path.abspath(place), name)
        problem = find_intruder(place)
        if problem is None and _can_write(folder):
            problem = find_intruder(folder, suffixes=SUFFIXES)
            if problem is None:
                return folder
        if problem is not None:
            problems.append(problem)
    if problems:  # there are none where no folder can be written, as in a read-only container
        _say_once(problems[0])
    return None


def _can_write(folder: str) -> bool:
    """Makes the folder, for this user alone, and tries to write there."""
    missing = [folder]
    while not os.path.lexists(missing[-1]):
        missing.append(os.path.dirname(missing[-1]))
    try:
        for each in missing[-2::-1]:
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.mkdir(each, 0o700)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


_said = threading.Event()


def _say_once(problem: str) -> None:
    if not _said.is_set():
        _said.set()
        logger.warning(
            "compiled code is not kept: what lies in its cache runs as this user, and %s. Every "
            "process compiles for itself, which takes about 10 s. Set NUMBA_CACHE_DIR to a folder "
            "that only you can write, such as a new one in /tmp.",
            problem,
        )
