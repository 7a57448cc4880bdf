"""Outputs on both kinds of filesystem: a local disk and an object store."""

from pathlib import Path

import pytest

from pipeline.nights.partition import Partition
from tests.pipeline import object_store


@pytest.fixture(params=["local", "objects"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    object_store.OBJECTS.clear()
    return str(tmp_path / "out") if request.param == "local" else "objects://bucket/out"


@pytest.fixture
def partition(output: str) -> Partition:
    return Partition(output=output, date="2026-11-20")
