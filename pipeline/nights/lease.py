"""The lease of a date: at most one run at a time may change a partition.

Beam's filesystems offer no lock on object stores. So each run that wants a date (a contender)
writes a claim, which is a file that only this run writes, and then looks for the claims of other
runs. Because each run writes before it looks, at least one of two contenders sees the other. The
run whose id sorts first gets the date.

A contender deletes the claim of a run that has died. If the owner of the claim runs on the same
machine, the contender checks whether the process still exists. If it runs on another machine, the
clocks of the two machines may differ and are not compared: the owner renews its claim every few
seconds, and the contender considers it dead if it sees no renewal for `expiry_seconds` on its own
monotonic clock.

A run may be suspended for longer than that and then wake up. At the next `Lease.check`, which the
commit calls before each of its steps, it finds that its claim is gone.
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
    """Another run holds the date. The message is one line."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """How often a claim is renewed, and after how long without a renewal it expires."""

    beat_seconds: float = 10.0
    expiry_seconds: float = 60.0


@dataclasses.dataclass
class Lease:
    """The right to change a date, which only this run has; `hold_lease` yields it.

    Attributes:
        files: the filesystem of the output.
        path: the file of this run's claim.
        run_id: this run.
        dead_runs: runs that died without deleting their claims; this run deleted the claims.
    """

    files: Files
    path: str
    run_id: str
    dead_runs: list[str] = dataclasses.field(default_factory=list)

    def check(self) -> None:
        """Raises `LeaseError` if another run considered this one dead and took over the date."""
        if not self.files.match(self.path):
            raise LeaseError(
                f"{self.path}: expected this run's claim, got none: it was not renewed for so long "
                "that another run took over the date. This run changed nothing more; check what "
                "the other run published."
            )


@contextlib.contextmanager
def hold_lease(
    files: Files, partition: Partition, *, run_id: str, timing: LeaseTiming | None = None
) -> Iterator[Lease]:
    """Reserves the date of the partition for this run while the block runs.

    Raises:
        LeaseError: if another run that is alive holds the date.
        OSError: if the output cannot be written.
    """
    timing = timing or LeaseTiming()
    lease = Lease(files, partition.claim(run_id), run_id)
    renewal = _Renewal(lease, seconds=timing.beat_seconds)
    with renewal.running():
        _wait_for_others(lease, partition, timing=timing)
        renewal.write(held=True)
        # Delete the unfinished claims of runs that were killed while they wrote. If a contender
        # that is alive is writing its claim at this moment, it writes it again.
        unfinished = files.match(f"{partition.claim('*')}.new")
        own = f"{base_name(lease.path)}.new"
        files.delete([info.path for info in unfinished if base_name(info.path) != own])
        yield lease


class _Renewal:
    """Renews this run's claim on a thread until the lease ends."""

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
            with contextlib.suppress(OSError):  # the next contender deletes it
                self._lease.files.delete([self._lease.path])

    def _renew(self) -> None:
        while not self._released.wait(self._seconds):
            # An error such as a full disk must not end the thread. If no renewal succeeds, the
            # lease expires, and if another run then takes the date, `check` ends this run. A
            # claim that another run deleted must not be written again.
            with contextlib.suppress(Exception):
                if self._lease.files.match(self._lease.path):
                    self.write()


def _wait_for_others(lease: Lease, partition: Partition, *, timing: LeaseTiming) -> None:
    """Returns when no other run has a claim to the date.

    Raises:
        LeaseError: if another run that is alive holds the date, or has an id that sorts first.
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
                    f"{path}: expected no other run to work on {partition.date}, got "
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
            except Exception:  # which error is raised depends on the store
                # If the claim is gone, its run has ended. If it is there but cannot be read, nobody
                # knows which run holds the date, so this run must not go on.
                if lease.files.match(info.path):
                    raise
    return found
