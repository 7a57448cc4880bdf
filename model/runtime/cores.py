"""How many CPU cores this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

# Tests replace this by a temporary folder.
ROOT = Path("/")


def usable_cores() -> int:
    """The number of cores that this process may keep busy, at least 1.

    It is the number of cores in the process's affinity mask, or less where a container has a CPU
    quota. A quota of 1.5 CPUs counts as 2 cores: one thread would leave half a CPU unused.

    This reads the control groups' files directly. `loky.cpu_count()` reads those of the topmost
    group alone, so it misses a quota of a nested group, and importing it takes 30 to 95 ms.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas()])))


def _quotas() -> Iterator[float]:
    """The CPU quotas of the process's control group and of all groups that enclose it, in CPUs.

    Sources: `cgroups(7)`; the Linux kernel's documentation of `cpu.max` (version 2) and of
    `cpu.cfs_quota_us` (version 1).
    """
    for group in _groups():
        version_2 = _numbers(group / "cpu.max")
        version_1 = _numbers(group / "cpu.cfs_quota_us") + _numbers(group / "cpu.cfs_period_us")
        for numbers in (version_2, version_1):
            if len(numbers) == 2 and min(numbers) > 0:  # version 1 writes -1 for no quota
                quota, period = numbers
                yield quota / period


def _groups() -> Iterator[Path]:
    """The folders of this process's control group and of the groups around it.

    `/proc/self/cgroup` may name a path on the host. A container sees only the last part of that
    path, as the topmost folder. Folders that do not exist are therefore skipped.
    """
    for line in _read(ROOT / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            top = ROOT / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            top = ROOT / "sys/fs/cgroup" / controllers
        else:
            continue
        group = top / path.lstrip("/")
        while group != top and top in group.parents:
            yield group
            group = group.parent
        yield top


def _numbers(file: Path) -> list[int]:
    """The whole numbers in a file; none if there is no such file, or it says `max`."""
    try:
        return [int(word) for word in _read(file).split()]
    except ValueError:
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
