"""Imports Beam and Arrow without the optional libraries that a job on one machine does not use.

Beam imports every optional library that it finds: Google's clients, MongoDB's driver and pandas
take half of its 1.1 s. Beam wraps each of these imports in a `try` and works without it. Code that
needs one later imports it then, as `BeamFiles` does for a path on `gs://`. Arrow looks for pandas
once. If it does not find it, it cannot make data frames; Limelight does not use them.
"""

import importlib
from collections.abc import Sequence

import pyarrow as pa

from model.runtime.blocked_imports import block_imports

OPTIONAL = (
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "google.cloud.dataflow",
    "pandas",
    "pymongo",
)


def names_runner(arguments: Sequence[str]) -> bool:
    """Whether a command line can name a runner, which may need all of Beam's optional libraries."""
    profile = "--runner-profile"
    return any(each in ("--", profile) or each.startswith(f"{profile}=") for each in arguments)


def import_beam() -> None:
    """Imports Beam without its optional libraries."""
    with block_imports(*OPTIONAL):
        pa.array([])  # Arrow looks for pandas when it makes its first array
        importlib.import_module("apache_beam")
