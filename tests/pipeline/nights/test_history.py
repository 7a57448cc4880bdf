"""Published nights: which partition is complete, and which came before a date."""

import json

import pytest

from pipeline.nights.history import published_before, published_run
from pipeline.nights.partition import Partition
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join, write_text
from tests.pipeline.nights.commits import commit, write_bytes

FILES = BeamFiles()


def publish(output: str, date: str, *, missing: bool = False) -> None:
    partition = Partition(output=output, date=date)
    success = {"run_id": f"run-{date}", "rows": 1, "files": [{"file": "part", "bytes": 3}]}
    write_text(FILES, partition.success, json.dumps(success))
    if not missing:
        write_text(FILES, join(partition.predictions, "part"), "abc")


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"run_id": "old"}', '{"files": [1]}'])
def test_a_damaged_description_is_no_partition(partition: Partition, damaged: str) -> None:
    commit(BeamFiles(), partition, "old", sizes=[3])
    assert published_run(BeamFiles(), partition) == "old"
    write_bytes(partition.success, damaged.encode())
    assert published_run(BeamFiles(), partition) is None


def test_nights_before_a_date_are_those_that_are_complete(output: str) -> None:
    for day in (14, 16, 17, 18, 20, 21):
        publish(output, f"2026-11-{day}", missing=day == 17)
    found = published_before(FILES, Partition(output=output, date="2026-11-20"), nights=2)
    assert [(partition.date, run) for partition, run in found] == [
        ("2026-11-18", "run-2026-11-18"),
        ("2026-11-16", "run-2026-11-16"),
    ]


def test_an_output_without_nights_has_none_before(partition: Partition) -> None:
    assert published_before(FILES, partition, nights=2) == []
