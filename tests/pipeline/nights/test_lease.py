"""Leases under contention, takeovers, kills and clocks that jump."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.nights.claim import Claim
from pipeline.nights.lease import LeaseError, LeaseTiming, hold_lease
from pipeline.nights.partition import Partition
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import Files, write_text
from tests.pipeline.nights.claims import leave_claim, renewing

QUICK = LeaseTiming(beat_seconds=0.05, expiry_seconds=0.5)


@pytest.fixture
def local(tmp_path: Path) -> Partition:
    return Partition(output=str(tmp_path / "out"), date="2026-11-20")


def claims(partition: Partition) -> list[str]:
    found = BeamFiles().match(partition.claim("*"))
    return [partition.run_of_claim(info.path) for info in found]


def test_a_date_is_owned_for_as_long_as_the_block_runs(partition: Partition) -> None:
    with hold_lease(BeamFiles(), partition, run_id="one", timing=QUICK) as lease:
        lease.check()
        assert claims(partition) == ["one"]
        assert lease.dead_runs == []
    assert claims(partition) == []


def test_the_date_is_released_if_the_block_fails(partition: Partition) -> None:
    with pytest.raises(ZeroDivisionError), hold_lease(BeamFiles(), partition, run_id="one"):
        _ = 1 / 0
    assert claims(partition) == []


def test_a_living_run_of_this_machine_is_not_waited_for(partition: Partition) -> None:
    with hold_lease(BeamFiles(), partition, run_id="b"):
        for other in ("a", "c"):
            started = time.monotonic()
            with pytest.raises(LeaseError, match="expected no other run to work on 2026-11-20"):
                hold(partition, other)
            assert time.monotonic() - started < 5
        assert claims(partition) == ["b"]


def hold(partition: Partition, run_id: str, timing: LeaseTiming | None = None) -> list[str]:
    with hold_lease(BeamFiles(), partition, run_id=run_id, timing=timing) as lease:
        return lease.dead_runs


def test_a_claim_that_cannot_be_read_is_an_error(local: Partition) -> None:
    class FailingFiles(BeamFiles):
        def open(self, path: str) -> BinaryIO:
            raise OSError(5, "Input/output error", path)

    with hold_lease(BeamFiles(), local, run_id="b"):
        with (
            pytest.raises(OSError, match="Input/output error"),
            hold_lease(FailingFiles(), local, run_id="a"),
        ):
            pass
        assert claims(local) == ["b"]


def test_a_lease_reserves_no_other_date(partition: Partition) -> None:
    other = Partition(output=partition.output, date="2026-11-21")
    with hold_lease(BeamFiles(), partition, run_id="one"):
        assert hold(other, "two") == []


@pytest.mark.parametrize("held", [True, False])
def test_a_living_run_elsewhere_keeps_its_date(partition: Partition, held: bool) -> None:
    with renewing(partition, "a", held=held), pytest.raises(LeaseError, match="got a"):
        hold(partition, "b", QUICK)
    assert claims(partition) == ["a"]


@pytest.mark.parametrize("held", [True, False])
def test_the_claim_of_a_silent_run_elsewhere_is_deleted_after_the_expiry(
    partition: Partition, held: bool
) -> None:
    leave_claim(partition, "a", held=held)
    started = time.monotonic()
    assert hold(partition, "b", QUICK) == ["a"]
    assert time.monotonic() - started >= QUICK.expiry_seconds
    assert claims(partition) == []


@pytest.mark.parametrize("torn", ["", "{", '{"run_id": "a"}', "[]"])
def test_an_unfinished_claim_is_deleted_after_the_expiry(partition: Partition, torn: str) -> None:
    write_text(BeamFiles(), partition.claim("a"), torn)
    assert hold(partition, "b", QUICK) == ["a"]


def test_the_run_whose_id_sorts_first_waits_until_the_other_gives_way(partition: Partition) -> None:
    with contextlib.ExitStack() as other:
        other.enter_context(renewing(partition, "z", held=False))

        def give_way() -> None:
            other.close()
            BeamFiles().delete([partition.claim("z")])

        threading.Timer(0.4, give_way).start()
        started = time.monotonic()
        assert hold(partition, "a", QUICK) == []
        assert time.monotonic() - started >= 0.4


def test_the_check_of_a_run_that_was_taken_for_dead_fails(partition: Partition) -> None:
    with hold_lease(BeamFiles(), partition, run_id="one", timing=QUICK) as lease:
        BeamFiles().delete([partition.claim("one")])  # what the next contender does
        time.sleep(4 * QUICK.beat_seconds)
        with pytest.raises(LeaseError, match="another run took over"):
            lease.check()
    assert claims(partition) == []


def test_a_clock_that_jumps_changes_nothing(
    local: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the clock of the holder nor that of the contender has an effect."""
    jumps = iter([0.0, 1e9, -1e9] * 1_000)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    with renewing(local, "a"), pytest.raises(LeaseError):
        hold(local, "b", QUICK)
    assert hold(local, "b", QUICK) == ["a"]


def _die_holding(output: str, ready: object) -> None:
    with hold_lease(BeamFiles(), Partition(output=output, date="2026-11-20"), run_id="dead"):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(60)


def test_the_claim_of_a_killed_run_of_this_machine_is_deleted_at_once(local: Partition) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_die_holding, args=(local.output, ready))
    process.start()
    assert ready.wait(20)
    with pytest.raises(LeaseError):
        hold(local, "next")
    os.kill(process.pid or 0, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid or 0, os.WEXITED | os.WNOWAIT)
    # It has ended and stays listed: its parent, as in many containers, does not ask for the code.
    started = time.monotonic()
    assert hold(local, "next") == ["dead"]
    assert time.monotonic() - started < 5
    process.join()


def test_at_most_one_of_many_contenders_has_the_date(partition: Partition) -> None:
    inside, most, held = 0, 0, 0
    lock = threading.Lock()
    start = threading.Barrier(8)

    def contend(run_id: str) -> None:
        nonlocal inside, most, held
        start.wait()
        lease = hold_lease(BeamFiles(), partition, run_id=run_id, timing=QUICK)
        with contextlib.suppress(LeaseError), lease:
            with lock:
                inside, held = inside + 1, held + 1
                most = max(most, inside)
            time.sleep(0.3)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=contend, args=(f"run{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert held >= 1  # more, if the machine starts one thread only after another is done
    assert claims(partition) == []


def test_a_full_disk_does_not_end_the_lease(local: Partition) -> None:
    class FullFiles(BeamFiles):
        full = False

        def create(self, path: str):  # type: ignore[no-untyped-def]
            if self.full:
                raise OSError(28, "No space left on device")
            return super().create(path)

    files: Files = FullFiles()
    with hold_lease(files, local, run_id="one", timing=QUICK) as lease:
        FullFiles.full = True
        try:
            time.sleep(4 * QUICK.beat_seconds)
            lease.check()
            assert Claim.from_text(Path(local.claim("one")).read_text()) is not None
        finally:
            FullFiles.full = False
