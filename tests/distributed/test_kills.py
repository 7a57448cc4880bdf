"""A scoring process that is killed with SIGKILL at many moments, and run again.

Before it the partition holds the rows of another corpus. After every kill a reader that waits for
`_SUCCESS` finds all old rows, all new rows, or no `_SUCCESS`. The rerun must publish the new rows
and leave no other files.
"""

import json
import multiprocessing
import random
import shutil
import signal
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.nights.partition import SUCCESS
from pipeline.nights.run_table import list_runs
from pipeline.storage.beam_files import BeamFiles
from tests.distributed import moments
from tests.pipeline.stages.nights import Nights, left_behind, make_rows
from tests.pipeline.tiny_model import write_model

pytestmark = pytest.mark.distributed

SEED = 6
TWICE_KILLED = 8
EARLY = 24  # moments: those of the lease, the sweep, the manifest and the first rows
BEFORE_THE_COMMIT = 12  # kills; of the commit every moment is one


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Starts forks of a process that has imported everything, because imports outlast a run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.distributed.moments"])
    return context


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
    processes: multiprocessing.context.ForkServerContext,
) -> tuple[Nights, pa.Table, pa.Table, list[str]]:
    """Nights with the old partition, its rows, the new rows, and the moments of a whole run."""
    folder = tmp_path_factory.mktemp("undisturbed")
    nights = Nights(folder=folder, model=write_model(folder / "model"))
    nights.write(make_rows(30), shards=2)
    nights.score()
    old = nights.table()
    shutil.copytree(nights.output, folder / "old")
    nights.write(make_rows(50, first=20), shards=4)
    exit_code = run_process(processes, nights, trace=folder / "trace.json")
    assert exit_code == 0
    new = nights.table()
    assert left_behind(nights.output) == set()
    return nights, old, new, json.loads((folder / "trace.json").read_text())


def run_process(
    processes: multiprocessing.context.ForkServerContext,
    nights: Nights,
    *,
    fatal: int | None = None,
    trace: Path | None = None,
) -> int | None:
    process = processes.Process(
        target=moments.run, args=(nights,), kwargs={"fatal": fatal, "trace": trace and str(trace)}
    )
    process.start()
    process.join(240)
    return process.exitcode


def choose_moments(trace: list[str]) -> list[int]:
    """Every moment of the commit and what follows it, of writing predictions, one of each kind of
    reading and scoring, and a seeded choice of all before the commit."""
    [commit] = (at for at, what in enumerate(trace) if what.endswith(f"/{SUCCESS}.old")
                and what.startswith("move "))  # fmt: skip
    before = {*random.Random(SEED).sample(range(commit), BEFORE_THE_COMMIT)}  # noqa: S311
    for must in ("open ", "read ", "score", "scored"):
        before.add(next(at for at, what in enumerate(trace) if what.startswith(must)))
    before |= {at for at, what in enumerate(trace[:commit]) if "/staging/predictions/" in what}
    return [at + 1 for at in sorted({*before, *range(commit, len(trace))})]


def success_of(trace: list[str]) -> str:
    [path] = {what.split(" ", 1)[1] for what in trace if what.endswith(f"/{SUCCESS}") and
              what.startswith("moved ")}  # fmt: skip
    return path


def test_a_rerun_repairs_a_run_killed_at_any_moment(
    undisturbed: tuple[Nights, pa.Table, pa.Table, list[str]],
    processes: multiprocessing.context.ForkServerContext,
) -> None:
    nights, old, new, trace = undisturbed
    chosen = choose_moments(trace)
    kinds = {trace[at - 1].split(" ")[0] for at in chosen}
    assert len(chosen) >= 30
    assert kinds >= {"create", "half", "written", "move", "moved", "delete", "deleted"}
    seen = {"old": 0, "new": 0, "waits": 0}
    for fatal in chosen:
        shutil.rmtree(nights.output)
        shutil.copytree(nights.folder / "old", nights.output)
        where = f"killed at moment {fatal}, {trace[fatal - 1]}"
        assert run_process(processes, nights, fatal=fatal) == -signal.SIGKILL, where
        if (Path(nights.partition().predictions) / SUCCESS).exists():
            table = nights.table()  # checks that the files are those of one run, all of them
            assert table.equals(old) or table.equals(new), where
            seen["old" if table.equals(old) else "new"] += 1
        else:
            seen["waits"] += 1
        nights.score()
        assert nights.table().equals(new), where
        assert left_behind(nights.output) == set(), where
        assert {manifest["status"] for manifest in nights.manifests()} <= {"done", "failed"}, where
    print(f"{len(chosen)} kills: {seen}")
    assert all(seen.values())


def test_a_second_rerun_repairs_a_rerun_that_was_killed_too(
    undisturbed: tuple[Nights, pa.Table, pa.Table, list[str]],
    processes: multiprocessing.context.ForkServerContext,
) -> None:
    """The second kill comes while the rerun removes what the first run left, or soon after."""
    nights, _, new, trace = undisturbed
    chosen = random.Random(SEED)  # noqa: S311
    for first in chosen.sample(range(1, len(trace) + 1), TWICE_KILLED):
        shutil.rmtree(nights.output)
        shutil.copytree(nights.folder / "old", nights.output)
        second = chosen.randint(1, EARLY)
        where = f"killed at moments {first}, {trace[first - 1]}, and {second}"
        for fatal in (first, second):
            assert run_process(processes, nights, fatal=fatal) == -signal.SIGKILL, where
        nights.score()
        assert nights.table().equals(new), where
        assert left_behind(nights.output) == set(), where


def test_a_run_killed_right_after_its_commit_counts_as_done_and_later_nights_work(
    undisturbed: tuple[Nights, pa.Table, pa.Table, list[str]],
    processes: multiprocessing.context.ForkServerContext,
) -> None:
    nights, _, new, trace = undisturbed
    shutil.rmtree(nights.output)
    fatal = trace.index(f"moved {success_of(trace)}") + 1
    assert run_process(processes, nights, fatal=fatal) == -signal.SIGKILL
    assert nights.table().equals(new)
    files = BeamFiles()
    [killed] = list_runs(files, str(nights.output))
    assert (killed.status, killed.rows) == ("done", 50)
    nights.write(make_rows(9), date="2026-11-21")
    later = nights.score(date="2026-11-21")
    assert {item["against"] for item in later.manifest["drift"]["differences"]} == {"nights"}
    skipped = nights.score(if_exists="skip")
    assert skipped.skipped
    assert (skipped.manifest["status"], skipped.manifest["rows"]["used"]) == ("done", 50)
