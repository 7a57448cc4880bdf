"""The lease of a date: at most one run at a time may change a partition.

Object stores offer no lock that Beam's filesystems can reach, so every contender
leaves a claim, a file of its own, and looks who else has one. Writing before looking
means that of two contenders at least one sees the other; the earlier name goes first.

A claim whose owner died is removed by the next contender. No two clocks are compared:
the owner renews its claim every few seconds, and whoever finds it unchanged for a whole
expiry, counted on its own steady clock, takes it for dead. On the owner's own machine
nobody waits: the process is there or it is not.

A run that was suspended past the expiry and wakes up finds its claim gone at the next
`Lease.check`, which the commit calls before each of its steps.
"""

import contextlib
import dataclasses
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.nights.commit import Partition
from pipeline.storage.files import Files, base_name, replace_text

BEAT_SECONDS = 10.0
EXPIRY_SECONDS = 60.0
POLL_SECONDS = 0.2

ENDED = ("Z", "X")  # states of a process that is still listed


class LeaseError(RuntimeError):
    """Another run has the date; the message is one line for a person."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process that no other one can be taken for; empty where the system cannot tell.

    Attributes:
        space: the boot and the process namespace in which `pid` counts.
        pid: its number.
        started: when it began, in clock ticks since boot: numbers are given again.
    """

    space: str = ""
    pid: int = 0
    started: str = ""

    @classmethod
    def own(cls) -> "ProcessIdentity":
        """This process."""
        with contextlib.suppress(OSError):  # not Linux
            return cls(space=_process_space(), pid=os.getpid(), started=_start_of(os.getpid()))
        return cls()

    def is_alive(self) -> bool | None:
        """Whether it still runs; None if it cannot be seen from here."""
        with contextlib.suppress(OSError):
            if self.space and self.space == _process_space():
                try:
                    return _start_of(self.pid) == self.started
                except FileNotFoundError:
                    return False
        return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """What a contender says of itself.

    Attributes:
        run_id: its run.
        held: False while it looks for others, True once the date is its own.
        beat: how often it was renewed.
        owner: its process.
    """

    run_id: str
    held: bool
    beat: int
    owner: ProcessIdentity

    def to_text(self) -> str:
        """One JSON object."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_text(cls, text: str) -> "Claim | None":
        """What `to_text` wrote; None for what a kill or a full disk left of it."""
        try:
            values: dict[str, Any] = json.loads(text)
            owner = ProcessIdentity(**values.pop("owner"))
            return cls(**values, owner=owner)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """How often a claim is renewed and how long one may stay as it is."""

    beat_seconds: float = BEAT_SECONDS
    expiry_seconds: float = EXPIRY_SECONDS


@dataclasses.dataclass
class Lease:
    """A date that is this run's own; from `hold_lease`.

    Attributes:
        outlasted: the runs whose claims were removed: they died at work.
    """

    files: Files
    path: str
    run_id: str
    outlasted: list[str] = dataclasses.field(default_factory=list)

    def check(self) -> None:
        """Raises `LeaseError` if another run has taken the date for abandoned."""
        if not self.files.match(self.path):
            raise LeaseError(
                f"{self.path}: expected this run's claim, got none: it was silent for so long "
                "that another run took over. Nothing more was changed; see what that one made."
            )


@contextlib.contextmanager
def hold_lease(
    files: Files, partition: Partition, *, run_id: str, timing: Timing | None = None
) -> Iterator[Lease]:
    """Makes the partition's date this run's own for as long as the block runs.

    Raises:
        LeaseError: if a living run has it.
        OSError: if the output cannot be written.
    """
    timing = timing or Timing()
    lease = Lease(files, partition.claim(run_id), run_id)
    renewal = _Renewal(lease, seconds=timing.beat_seconds)
    with renewal.running():
        _outlast_others(lease, partition, timing=timing)
        renewal.write(held=True)
        # Of claims that a kill cut short. A contender who is just writing its own writes it again.
        torn = files.match(f"{partition.claim('*')}.new")
        own = f"{base_name(lease.path)}.new"
        files.delete([info.path for info in torn if base_name(info.path) != own])
        yield lease


class _Renewal:
    """Writes a claim, again and again until it is released."""

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
            _replace(self._lease.files, self._lease.path, self._claim.to_text())

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
            with contextlib.suppress(OSError):  # what stays is removed by the next contender
                self._lease.files.delete([self._lease.path])

    def _renew(self) -> None:
        while not self._released.wait(self._seconds):
            # A full disk must not end the run here; silence for an expiry loses the lease. And
            # a claim that another run removed must not come back.
            with contextlib.suppress(Exception):
                if self._lease.files.match(self._lease.path):
                    self.write()


def read_claim(files: Files, path: str) -> Claim | None:
    """The claim at a path, if there is a whole one."""
    with contextlib.suppress(Exception):  # not there; stores differ in what they raise then
        if files.match(path):
            with files.open(path) as stream:
                return Claim.from_text(stream.read().decode(errors="replace"))
    return None


def _outlast_others(lease: Lease, partition: Partition, *, timing: Timing) -> None:
    """Returns when no other claim is left, or raises if a living run goes first."""
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
                lease.outlasted.append(partition.run_of_claim(path))
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
                if lease.files.match(info.path):  # not given up: who has the date is not known
                    raise
    return found


def _replace(files: Files, path: str, text: str) -> None:
    for attempt in (1, 2, 3):
        try:
            replace_text(files, path, text)
            return
        except Exception:  # Another run swept the new file between; stores differ in the error.
            if attempt == 3:
                raise


def _process_space() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def _start_of(pid: int) -> str:
    """When a process began.

    Raises:
        FileNotFoundError: if it is gone; also if it has ended and only its parent has not
            asked for its exit code, which in a container may never happen.
    """
    # The second field, the command, may hold spaces and parentheses; after it the state comes.
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    state, *further = stat.rpartition(")")[2].split()
    if state in ENDED:
        raise FileNotFoundError(f"process {pid} has ended")
    return further[18]
