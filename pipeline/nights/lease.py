"""The lease of a date: at most one run at a time may change a partition.

Beam's filesystems offer no lock on object stores. So every contender writes a claim, a file of its
own, and then looks for the claims of others. Because each writes before it looks, at least one of
two contenders sees the other; the run whose id sorts first goes first.

A contender deletes the claim of a run that has died. On the owner's own machine it sees at once
whether the process still exists. For an owner elsewhere it does not compare the clocks of two
machines: the owner renews its claim every few seconds, and a contender that sees no renewal for a
whole expiry, measured on its own monotonic clock, takes the owner for dead.

A run may be suspended for longer than the expiry and then wake up. It finds its claim gone at the
next `Lease.check`, which the commit calls before each of its steps.
"""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator

from pipeline.nights.claim import Claim, write_claim
from pipeline.nights.partition import Partition
from pipeline.nights.process_identity import ProcessIdentity
from pipeline.storage.files import Files, base_name

POLL_SECONDS = 0.2


class LeaseError(RuntimeError):
    """Another run has the date; the message is one line for a person."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """How often a claim is renewed, and after how long without a renewal it expires."""

    beat_seconds: float = 10.0
    expiry_seconds: float = 60.0


@dataclasses.dataclass
class Lease:
    """A date that only this run may change; from `hold_lease`.

    Attributes:
        files: where the output lies.
        path: of this run's claim.
        run_id: this run.
        dead_runs: runs that died at work, whose claims were therefore deleted.
    """

    files: Files
    path: str
    run_id: str
    dead_runs: list[str] = dataclasses.field(default_factory=list)

    def check(self) -> None:
        """Raises `LeaseError` if another run took this one for dead and took the date over."""
        if not self.files.match(self.path):
            raise LeaseError(
                f"{self.path}: expected this run's claim, got none: it was not renewed for so long "
                "that another run took over the date. This run changed nothing more; look at what "
                "the other one published."
            )


@contextlib.contextmanager
def hold_lease(
    files: Files, partition: Partition, *, run_id: str, timing: LeaseTiming | None = None
) -> Iterator[Lease]:
    """Reserves the partition's date for this run for as long as the block runs.

    Raises:
        LeaseError: if a living run has it.
        OSError: if the output cannot be written.
    """
    timing = timing or LeaseTiming()
    lease = Lease(files, partition.claim(run_id), run_id)
    renewal = _Renewal(lease, seconds=timing.beat_seconds)
    with renewal.running():
        _wait_for_others(lease, partition, timing=timing)
        renewal.write(held=True)
        # Delete the unfinished claims of runs that were killed while they wrote. If a living
        # contender is writing one at this moment, it writes it again.
        unfinished = files.match(f"{partition.claim('*')}.new")
        own = f"{base_name(lease.path)}.new"
        files.delete([info.path for info in unfinished if base_name(info.path) != own])
        yield lease


class _Renewal:
    """Writes this run's claim again and again, on a thread, until the lease ends."""

    def __init__(self, lease: Lease, *, seconds: float) -> None:
        self._lease = lease
        self._seconds = seconds
        self._claim = Claim(run_id=lease.run_id, held=False, beat=0, owner=ProcessIdentity.own())
        self._writing = threading.Lock()
        self._released = threading.Event()

    def write(self, *, held: bool | None = None) -> None:
        with self._writing:
            claim = self._claim
            held = claim.held if held is None else held
            self._claim = dataclasses.replace(claim, held=held, beat=claim.beat + 1)
            write_claim(self._lease.files, self._lease.path, self._claim)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self.write()
        thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._released.set()
            thread.join()
            with contextlib.suppress(OSError):  # the next contender deletes what stays
                self._lease.files.delete([self._lease.path])

    def _renew(self) -> None:
        while not self._released.wait(self._seconds):
            # A full disk must not end the run here: without a renewal the lease expires, and the
            # next check ends it. A claim that another run deleted must not be written again.
            with contextlib.suppress(Exception):
                if self._lease.files.match(self._lease.path):
                    self.write()


def _wait_for_others(lease: Lease, partition: Partition, *, timing: LeaseTiming) -> None:
    """Returns when no other claim is left.

    Raises:
        LeaseError: if a living run has the date or goes first.
    """
    unchanged_since: dict[str, tuple[str, float]] = {}
    while others := _read_others(lease, partition):
        for path, text in others.items():
            claim = Claim.from_text(text)
            before, since = unchanged_since.setdefault(path, (text, time.monotonic()))
            alive = claim.owner.is_alive() if claim is not None else None
            if text != before:
                unchanged_since[path] = (text, time.monotonic())
                alive = True
            elif alive is None and time.monotonic() - since >= timing.expiry_seconds:
                alive = False
            if alive is False:
                lease.files.delete([path, f"{path}.new"])
                lease.dead_runs.append(partition.run_of_claim(path))
            elif alive and claim is not None and (claim.held or claim.run_id < lease.run_id):
                raise LeaseError(
                    f"{path}: expected no other run of {partition.date} at work, got "
                    f"{claim.run_id}. Wait until it ends and run again; if it was killed on "
                    f"another machine, run again {timing.expiry_seconds:.0f} s later."
                )
        time.sleep(min(POLL_SECONDS, timing.beat_seconds))


def _read_others(lease: Lease, partition: Partition) -> dict[str, str]:
    """The claims of other runs, by path."""
    found = {}
    for info in lease.files.match(partition.claim("*")):
        if base_name(info.path) != base_name(lease.path):
            try:
                with lease.files.open(info.path) as stream:
                    found[info.path] = stream.read().decode(errors="replace")
            except Exception:  # stores differ in what they raise
                # If the claim is gone, its run has ended. If it is still there, nobody can tell
                # who has the date, and this run must not go on.
                if lease.files.match(info.path):
                    raise
    return found
