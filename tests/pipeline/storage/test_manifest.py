import datetime
import json
import re
import time
from pathlib import Path

import pytest

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import read_json
from pipeline.storage.manifest import Manifest, fingerprint, new_run_id, now
from pipeline.storage.versions import LIBRARIES

# What every reader of a manifest may rely on.
CONTRACT = {
    "run_id",
    "stage",
    "status",
    "started",
    "finished",
    "code_version",
    "libraries",
    "config",
    "inputs",
    "rows",
    "outputs",
}


def test_a_manifest_holds_the_contract_and_the_extras(tmp_path: Path) -> None:
    run = Manifest(run_id="id", stage="score", config={"name": "x"})
    run.extra = {"date": "2026-11-20"}
    run.write(BeamFiles(), str(tmp_path))
    running = read_json(BeamFiles(), str(tmp_path / "manifest.json"))
    assert set(running) == CONTRACT | {"date"}
    assert running["status"] == "running"
    assert running["finished"] is None
    run.finish("done")
    run.write(BeamFiles(), str(tmp_path))
    done = read_json(BeamFiles(), str(tmp_path / "manifest.json"))
    assert done["status"] == "done"
    assert done["started"] == running["started"]
    assert done["started"] <= done["finished"]
    assert set(done["libraries"]) == {"python", *LIBRARIES}


def test_times_are_utc_to_the_second() -> None:
    moment = datetime.datetime.fromisoformat(now())
    assert moment.utcoffset() == datetime.timedelta(0)
    assert abs(datetime.datetime.now(datetime.UTC) - moment) < datetime.timedelta(minutes=1)
    assert moment.microsecond == 0


def test_run_ids_are_distinct_and_fit_for_a_file_name() -> None:
    ids = [new_run_id("score") for _ in range(100)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-score-[0-9a-f]{6}", run_id) for run_id in ids)


def test_run_ids_of_one_second_sort_by_time() -> None:
    ids = []
    for _ in range(20):
        ids.append(new_run_id("score"))
        time.sleep(1e-5)
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], True),
        ([(1, 2)], [[1, 2]], True),
        ([{"a": 1}], [{"a": 2}], False),
        ([["a"], ["b"]], [["a", "b"], []], False),
        ([1, 2], [2, 1], False),
        (["é"], ["e"], False),
    ],
)
def test_a_fingerprint_depends_on_values_alone(
    first: list[object], second: list[object], equal: bool
) -> None:
    assert (fingerprint(*first) == fingerprint(*second)) is equal
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(*first))


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint({"a": [1, "é", None]}) == fingerprint(json.loads('{"a": [1, "é", null]}'))
    assert fingerprint({"a": [1, "é", None]}) == "b5df1134ebeaaa65"
