"""The cores that this process may use."""

import os


def usable_cores() -> int:
    """Their number; of a container or an affinity mask, where the platform tells."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
