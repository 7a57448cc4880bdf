"""Partition: where files lie, and which outputs are refused."""

import pytest

from model.config import ConfigError
from pipeline.nights.partition import Partition, run_folder, staging_folder


@pytest.mark.parametrize("output", ["", "out*", "out?", "out[1]"])
def test_an_output_that_is_a_glob_is_refused(output: str) -> None:
    with pytest.raises(ConfigError, match=r"^output: expected a folder's path "):
        Partition(output=output, date="2026-11-20")


def test_folders_of_a_run_lie_below_its_output() -> None:
    partition = Partition(output="out/", date="2026-11-20")
    assert partition.predictions == "out/predictions/dt=2026-11-20"
    assert partition.rejected == "out/rejected/dt=2026-11-20"
    assert run_folder("out", "id") == "out/runs/id"
    assert staging_folder("out", "id") == "out/runs/id/staging"
