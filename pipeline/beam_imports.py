"""Beam imported without what a job on one machine has no use for.

Beam imports every optional library that it finds, and Google's clients and MongoDB's driver are a
third of its 1.1 s. Each stands in a `try` of Beam's, which goes on without it. Whoever needs
one later, as `BeamFiles` for a path on `gs://`, imports it then.
"""

import importlib
from collections.abc import Sequence

from model.hiding import hidden

OPTIONAL = (
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "google.cloud.dataflow",
    "pymongo",
)


def names_runner(arguments: Sequence[str]) -> bool:
    """Whether a command line gives Beam flags, which may name a runner that needs them all."""
    profile = "--runner-profile"
    return any(each in ("--", profile) or each.startswith(f"{profile}=") for each in arguments)


def import_beam() -> None:
    """Imports Beam without its optional libraries."""
    with hidden(*OPTIONAL):
        importlib.import_module("apache_beam")
