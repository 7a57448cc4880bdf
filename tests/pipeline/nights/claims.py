"""Claims of runs on another machine, which a test writes into the folder of leases."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator

from pipeline.nights.claim import Claim
from pipeline.nights.partition import Partition
from pipeline.nights.process_identity import ProcessIdentity
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import write_text

ELSEWHERE = ProcessIdentity(space="another machine", pid=1, started="1")


def leave_claim(partition: Partition, run_id: str, **changes: object) -> None:
    """Writes the claim of a run on another machine."""
    claim = Claim(run_id=run_id, held=True, beat=3, owner=ELSEWHERE)
    text = dataclasses.replace(claim, **changes).to_text()  # type: ignore[arg-type]
    write_text(BeamFiles(), partition.claim(run_id), text)


@contextlib.contextmanager
def renewing(partition: Partition, run_id: str, *, held: bool = True) -> Iterator[None]:
    """Writes and renews the claim of a run on another machine, as that run would."""
    stop = threading.Event()

    def renew() -> None:
        beat = 0
        while not stop.wait(0.1):
            beat += 1
            leave_claim(partition, run_id, beat=beat, held=held)

    leave_claim(partition, run_id, beat=0, held=held)
    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
