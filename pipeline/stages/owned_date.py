"""A date that a scoring run owns: other runs are kept out, and what dead ones left is removed."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Literal

from model.config import ConfigError
from pipeline.nights.history import published_run
from pipeline.nights.lease import Lease, hold_lease
from pipeline.nights.partition import Partition
from pipeline.nights.sweep import sweep_dead_runs
from pipeline.runners.execution import RunError
from pipeline.storage.files import Files
from pipeline.storage.manifest import one_line

# Errors that may be gone at the next try: the run failed (exit code 1). Any other error of an
# output folder is a mistake in the command (exit code 2).
TRANSIENT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)

IfExists = Literal["replace", "skip", "fail"]


@contextlib.contextmanager
def own_date(files: Files, partition: Partition, *, run_id: str) -> Iterator[Lease]:
    """Keeps other runs off the date within the block, and removes what dead runs left.

    Raises:
        ConfigError: if the output cannot be written.
        RunError: if it cannot be written now, but may be later, such as with a full disk.
        LeaseError: if another run is at work on the date.
    """
    with contextlib.ExitStack() as stack:
        try:
            lease = stack.enter_context(hold_lease(files, partition, run_id=run_id))
        except OSError as error:
            kind = RunError if error.errno in TRANSIENT_ERRORS else ConfigError
            raise kind(
                f"{partition.output}: expected an output folder that can be written, got "
                f"{one_line(error)}. Give --output another folder, or repair this one."
            ) from error
        sweep_dead_runs(files, partition, dead=lease.dead_runs)
        yield lease


def find_published(files: Files, partition: Partition, *, if_exists: IfExists) -> str | None:
    """The run that has published the date, where `if_exists` says to skip the date then.

    Raises:
        RunError: if the partition is complete and `if_exists` is `fail`.
    """
    if if_exists == "replace":
        return None
    before = published_run(files, partition)
    if before is not None and if_exists == "fail":
        raise RunError(
            f"{partition.predictions}: expected no complete partition, got that of run {before} "
            "(--if-exists fail). Pass --if-exists replace to score the date again."
        )
    return before
