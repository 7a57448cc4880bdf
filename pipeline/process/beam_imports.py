"""Beam and Arrow imported without what a job on one machine has no use for.

Beam imports every optional library that it finds: Google's clients, MongoDB's driver and pandas are
half of its 1.1 s. Each stands in a `try` of Beam's, which goes on without it. Whoever needs
one later, as `BeamFiles` for a path on `gs://`, imports it then. Arrow looks for pandas once, and
makes no data frames where it found none; Limelight makes none.
"""

import importlib
from collections.abc import Sequence

import pyarrow as pa

from model.runtime.imports import hidden

OPTIONAL = (
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "google.cloud.dataflow",
    "pandas",
    "pymongo",
)


def names_runner(arguments: Sequence[str]) -> bool:
    """Whether a command line gives Beam flags, which may name a runner that needs them all."""
    profile = "--runner-profile"
    return any(each in ("--", profile) or each.startswith(f"{profile}=") for each in arguments)


def import_beam() -> None:
    """Imports Beam without its optional libraries."""
    with hidden(*OPTIONAL):
        pa.array([])  # looks for pandas
        importlib.import_module("apache_beam")
