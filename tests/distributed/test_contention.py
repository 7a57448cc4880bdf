"""Several scoring processes of one date at the same time, and one whose clock jumps."""

import multiprocessing
import multiprocessing.synchronize
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.nights.claim import read_claim
from pipeline.nights.lease import LeaseError, hold_lease
from pipeline.nights.process_identity import ProcessIdentity
from pipeline.storage.beam_files import BeamFiles
from tests.distributed.reader import Reader
from tests.distributed.replaced_night import (
    check_rerun,
    command_of,
    publish_old,
    start,
)
from tests.end_to_end.commands import run
from tests.pipeline.nights.claims import leave_claim, renewing
from tests.pipeline.stages.nights import DATE, Nights, left_behind

pytestmark = pytest.mark.distributed

FILES = BeamFiles()
SHIM = Path(__file__).with_name("jumping_clock.c")
REFUSED = f"expected no other run to work on {DATE}, got "
PROCESSES, ROUNDS = 4, 5


@pytest.fixture(scope="module")
def jumping_clock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process whose time of day keeps jumping by hours."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler to change the clock of one process")
    library = tmp_path_factory.mktemp("clock") / "jumping_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", str(SHIM), "-o", str(library)], check=True)
    return {"LD_PRELOAD": str(library)}


def test_of_two_commands_at_once_one_publishes(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    with Reader(nights, allowed=[old, new]):
        processes = [start(nights) for _ in range(2)]
        said = [process.communicate(timeout=120)[1] for process in processes]
    codes = sorted(process.returncode for process in processes)
    refused = [line for line in said if REFUSED in line]
    # A slow machine may start one after the other has ended; then both succeed.
    assert codes == [0, 1] if refused else [0, 0], said
    assert all(len(line.splitlines()) == 1 for line in refused)
    assert nights.table().equals(new)
    assert left_behind(nights.output) == set()
    assert Counter(manifest["status"] for manifest in nights.manifests()) == {
        "done": 2 if refused else 3
    }


def score_at(barrier: multiprocessing.synchronize.Barrier, nights: Nights) -> None:
    """Runs in a process of its own; exits with 7 if another run has the date."""
    barrier.wait(60)
    try:
        nights.score(if_exists="skip")
    except LeaseError as error:
        sys.exit(7 if REFUSED in str(error) else 1)


def test_of_processes_that_start_at_the_same_time_exactly_one_publishes(
    tmp_path: Path, tiny_model: str, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.distributed.test_contention"])
    refused = 0
    for number in range(ROUNDS):
        nights = publish_old(Nights(folder=tmp_path / str(number), model=tiny_model))
        shutil.rmtree(nights.partition().predictions)
        barrier = context.Barrier(PROCESSES)
        processes = [
            context.Process(target=score_at, args=(barrier, nights)) for _ in range(PROCESSES)
        ]
        with Reader(nights, allowed=[old_and_new[1]]):
            for process in processes:
                process.start()
            for process in processes:
                process.join(120)
        codes = Counter(process.exitcode for process in processes)
        assert codes.keys() <= {0, 7}, codes
        assert codes[0] >= 1
        refused += codes[7]
        assert nights.table().equals(old_and_new[1])
        assert [manifest["status"] for manifest in nights.manifests()] == ["done", "done"]
        assert left_behind(nights.output) == set()
    print(f"{refused} of {PROCESSES * ROUNDS} were refused")
    assert refused >= ROUNDS


def test_the_clock_of_a_process_jumps(jumping_clock: dict[str, str]) -> None:
    code = "import time\nfor _ in range(10): print(time.time()); time.sleep(0.125)"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **jumping_clock},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    offsets = [float(line) - time.time() for line in printed.split()]
    assert min(offsets) < -5 * 3600
    assert max(offsets) > 5 * 3600


def test_a_run_with_a_jumping_clock_does_not_break_the_lease_of_a_living_run(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table], jumping_clock: dict[str, str]
) -> None:
    partition = nights.partition()
    with (
        renewing(partition, "elsewhere"),
        Reader(nights, allowed=[old_and_new[0]]) as reader,
    ):
        finished = run(*command_of(nights), environment=jumping_clock)
    FILES.delete([partition.claim("elsewhere")])
    assert finished.code == 1
    assert f"{REFUSED}elsewhere" in finished.error_line
    assert reader.waited == 0
    assert left_behind(nights.output) == set()
    check_rerun(nights, old_and_new[1])


def test_a_run_with_a_jumping_clock_keeps_its_date_and_publishes(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table], jumping_clock: dict[str, str]
) -> None:
    old, new = old_and_new
    space = ProcessIdentity.own().space
    dead = ProcessIdentity(space=space, pid=2**22 + 1, started="1")
    leave_claim(nights.partition(), "dead", beat=1, owner=dead)
    with Reader(nights, allowed=[old, new]):
        process = start(nights, environment=jumping_clock)
        while not holds(nights):
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        with (
            pytest.raises(LeaseError, match=REFUSED),
            hold_lease(FILES, nights.partition(), run_id="0"),
        ):
            pass
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert nights.table().equals(new)
    assert left_behind(nights.output) == set()


def holds(nights: Nights) -> bool:
    """Whether the run that was started holds the date already."""
    claims = [info.path for info in FILES.match(nights.partition().claim("*"))]
    found = [read_claim(FILES, path) for path in claims if "dead" not in path]
    return any(claim is not None and claim.held for claim in found)
