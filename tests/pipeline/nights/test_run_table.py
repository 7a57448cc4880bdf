"""The table of runs: what it reads from manifests, and how it tells a killed run."""

import json

import pytest

from pipeline.nights.claim import Claim
from pipeline.nights.partition import Partition
from pipeline.nights.process_identity import ProcessIdentity
from pipeline.nights.run_table import list_runs
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join, write_text
from tests.pipeline.nights.commits import commit

FILES = BeamFiles()


def leave_run(output: str, run_id: str, **manifest: object) -> None:
    text = json.dumps({"date": "2026-11-20", "started": run_id, **manifest})
    write_text(FILES, join(output, "runs", run_id, "manifest.json"), text)


def test_runs_come_newest_first_with_what_their_manifests_say(output: str) -> None:
    leave_run(output, "1", status="failed")
    leave_run(
        output,
        "2",
        status="done",
        rows={"read": 5, "used": 3, "rejected": {"a": 1, "b": 1}},
        documents_per_second=12.5,
        model_version="m/1",
        drift={
            "differences": [
                {"measure": "label", "psi": 0.02, "tripped": False},
                {"measure": "score", "psi": 0.518, "tripped": True},
            ]
        },
    )
    write_text(FILES, join(output, "runs", "0", "manifest.json"), "{torn")
    two, one, torn = list_runs(FILES, output)
    assert (two.run_id, two.status, two.rows, two.rejected) == ("2", "done", 3, 2)
    assert (two.documents_per_second, two.model_version) == (12.5, "m/1")
    assert two.drift == "0.52 score !"
    assert (one.run_id, one.status, one.rows, one.drift) == ("1", "failed", None, "")
    assert (torn.run_id, torn.status) == ("0", "unreadable")


@pytest.mark.parametrize(
    ("owner", "status"),
    [
        (ProcessIdentity.own(), "running"),
        (ProcessIdentity(space="elsewhere", pid=1, started="1"), "running"),
        (ProcessIdentity(space=ProcessIdentity.own().space, pid=2**22 + 1, started="1"), "killed"),
        (None, "killed"),
    ],
)
def test_a_run_without_its_process_was_killed(
    output: str, owner: ProcessIdentity | None, status: str
) -> None:
    leave_run(output, "1", status="running")
    if owner is not None:
        claim = Claim(run_id="1", held=True, beat=1, owner=owner)
        path = Partition(output=output, date="2026-11-20").claim("1")
        write_text(FILES, path, claim.to_text())
    [run] = list_runs(FILES, output)
    assert run.status == status


def test_a_run_that_was_killed_after_its_commit_is_done(output: str) -> None:
    leave_run(output, "1", status="running")
    commit(FILES, Partition(output=output, date="2026-11-20"), "1", sizes=[3])
    [run] = list_runs(FILES, output)
    assert run.status == "done"


def test_an_output_without_runs_has_an_empty_table(output: str) -> None:
    assert list_runs(FILES, output) == []
