"""`limelight-worker`: a worker of Beam's pool of workers that is started again if it is killed.

    python -m apache_beam.runners.worker.worker_pool_main --service_port=50000 \
      --container_executable="$(command -v limelight-worker)"

If a worker is killed after it has connected to the engine, the engine fails the job. If it is
killed before, the engine waits for it forever. So a worker that a signal ends is started again. If
the first one had connected, the engine refuses the second one, which then ends by itself.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

MAX_STARTS = 3

HARNESS = (
    "import sys; from apache_beam.runners.worker.sdk_worker import SdkHarness; "
    "SdkHarness(sys.argv[1], worker_id=sys.argv[2], state_cache_size=0, "
    "data_buffer_time_limit_ms=-1).run()"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of Beam's workers until it ends by itself.

    Args:
        arguments: what Beam passes to a worker container. Only `--id` and `--control_endpoint`
            are used.

    Returns:
        The worker's exit code.
    """
    parser = argparse.ArgumentParser(prog="limelight-worker", description=__doc__)
    parser.add_argument("--id", required=True, help="the engine's name for the worker")
    parser.add_argument("--control_endpoint", required=True, help="where the engine listens")
    parsed, _ = parser.parse_known_args(arguments)
    return supervise([sys.executable, "-c", HARNESS, parsed.control_endpoint, parsed.id])


def supervise(command: Sequence[str]) -> int:
    """Runs a command, and again if a signal ended it. SIGTERM ends this process and the command.

    Returns:
        The command's exit code, or 128 plus the signal's number if signals ended it
        `MAX_STARTS` times.
    """
    child: subprocess.Popen[bytes] | None = None
    stopping = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:  # else it is being started, and `Popen` has yet to return it
            child.kill()
            os._exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    code = 0
    for _ in range(MAX_STARTS):
        child = None
        child = subprocess.Popen(list(command))  # noqa: S603 - Beam's worker, with this Python
        if stopping:
            stop(signal.SIGTERM, None)
        code = child.wait()
        if code >= 0:
            return code
        print(f"limelight-worker: signal {-code} ended a worker", file=sys.stderr, flush=True)
    return 128 - code


if __name__ == "__main__":
    sys.exit(main())
