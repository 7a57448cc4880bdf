"""A worker that is started again when it is killed: the executable of Beam's pool of workers.

    python -m apache_beam.runners.worker.worker_pool_main --service_port=50000 \
      --container_executable="$(command -v limelight-worker)"

An engine fails the job of a worker that it loses, but waits without end for one that was killed
before it had connected. So a worker that a signal ends is replaced. Where it had connected
the engine refuses the new one, which then ends by itself.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

MOST_STARTS = 3

HARNESS = (
    "import sys; from apache_beam.runners.worker.sdk_worker import SdkHarness; "
    "SdkHarness(sys.argv[1], worker_id=sys.argv[2], state_cache_size=0, "
    "data_buffer_time_limit_ms=-1).run()"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker of Beam's until it ends by itself; returns its exit code.

    Args:
        arguments: those of Beam's worker containers, of which two are needed:
            `--id` and `--control_endpoint`.
    """
    parser = argparse.ArgumentParser(prog="limelight-worker", description=__doc__)
    parser.add_argument("--id", required=True, help="the engine's name for the worker")
    parser.add_argument("--control_endpoint", required=True, help="where the engine listens")
    parsed, _ = parser.parse_known_args(arguments)
    return supervise([sys.executable, "-c", HARNESS, parsed.control_endpoint, parsed.id])


def supervise(command: Sequence[str]) -> int:
    """Runs a command, again after a signal ended it; SIGTERM ends both.

    Returns:
        The exit code; of a command that signals ended `MOST_STARTS` times, 128 and the signal.
    """
    child: subprocess.Popen[bytes] | None = None

    def stop(number: int, _: FrameType | None) -> None:
        if child is not None:
            child.kill()
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    code = 0
    for _ in range(MOST_STARTS):
        child = subprocess.Popen(list(command))  # noqa: S603 - Beam's worker, with this Python
        code = child.wait()
        if code >= 0:
            return code
        print(f"limelight-worker: signal {-code} ended a worker", file=sys.stderr, flush=True)
    return 128 - code


if __name__ == "__main__":
    sys.exit(main())
