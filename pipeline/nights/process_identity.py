"""Tells whether the process that wrote a claim is still running, if it runs on this machine."""

import contextlib
import dataclasses
import os
from pathlib import Path

ENDED = ("Z", "X")  # states of a process that has ended and is still listed: zombie, dead


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """Identifies one process; empty where the system does not say enough (not Linux).

    Attributes:
        space: the boot and the process namespace in which `pid` counts.
        pid: its number.
        started: when it began, in clock ticks since boot. The system gives the number of a
            process that ended to a later one; the start tells the two apart.
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
        """Whether it still runs; None if it is of another machine, boot or container."""
        with contextlib.suppress(OSError):
            if self.space and self.space == _process_space():
                try:
                    return _start_of(self.pid) == self.started
                except FileNotFoundError:
                    return False
        return None


def _process_space() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def _start_of(pid: int) -> str:
    """When a process began.

    Raises:
        FileNotFoundError: if it is gone, or has ended and stays listed because its parent has not
            asked for its exit code. In a container the parent may never ask.
    """
    # The second field, the command, may hold spaces and parentheses. The state follows it.
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    state, *further = stat.rpartition(")")[2].split()
    if state in ENDED:
        raise FileNotFoundError(f"process {pid} has ended")
    return further[18]
