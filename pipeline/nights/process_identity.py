"""Tells whether the process that wrote a claim still runs, if it was started on this machine."""

import contextlib
import dataclasses
import os
from pathlib import Path

ENDED = ("Z", "X")  # states of a process that has ended and is still listed: zombie, dead


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """Identifies one process; all fields are empty if the system is not Linux.

    Attributes:
        space: the ids of the boot and of the PID namespace in which `pid` is valid.
        pid: the process id.
        started: when the process began, in clock ticks since boot. The system reuses the ids of
            processes that have ended; the start tells two processes with one id apart.
    """

    space: str = ""
    pid: int = 0
    started: str = ""

    @classmethod
    def own(cls) -> "ProcessIdentity":
        """The identity of this process."""
        with contextlib.suppress(OSError):  # not Linux
            return cls(space=_process_space(), pid=os.getpid(), started=_start_of(os.getpid()))
        return cls()

    def is_alive(self) -> bool | None:
        """Whether the process still runs; None if it is on another machine, boot or container."""
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
        FileNotFoundError: if the process is gone, or is a zombie: it has ended, but its parent has
            not asked for its exit code. In a container the parent may never ask.
    """
    # The second field, the command, is in parentheses and may itself hold spaces and parentheses.
    # The state follows the last closing parenthesis.
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    state, *further = stat.rpartition(")")[2].split()
    if state in ENDED:
        raise FileNotFoundError(f"process {pid} has ended")
    return further[18]
