"""The versions of the code and of the libraries that made a result."""

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path

import model
import pipeline
from model.runtime.backend import backend_name

LIBRARIES = (
    "apache-beam",
    "keras",
    "numba",
    "numpy",
    "pyarrow",
    "tensorflow",
    "tensorflow-text",
    "tensorflow-transform",
)


@functools.cache
def code_version() -> str:
    """The version of the package and a digest of its sources, which changes with every edit."""
    digest = hashlib.sha256()
    for package in (model, pipeline):
        root = Path(package.__path__[0])
        sources = (path for kind in ("*.py", "*.csv") for path in root.rglob(kind))
        for source in sorted(sources):
            digest.update(source.relative_to(root).as_posix().encode())
            digest.update(source.read_bytes())
    try:
        version = importlib.metadata.version("limelight")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        version = "0"
    return f"{version}+{digest.hexdigest()[:12]}"


@functools.cache
def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries on which the results of a run depend."""
    names = (*LIBRARIES, "jax") if backend_name() == "jax" else LIBRARIES
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version(), **versions}
