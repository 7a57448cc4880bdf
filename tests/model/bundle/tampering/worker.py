"""Loads model directories and scores with them, one after the other, in limited memory and time.

Reads paths from standard input and writes a JSON object for each: `refused` with the message,
`scored`, or `failed` with another error. A bundle that takes too long ends the process.
"""

import json
import resource
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa

from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer

SECONDS = 5
MEMORY = 500 << 20  # bytes of address space above those of scoring with models that are accepted


def outcome_of(folder: str) -> dict[str, object]:
    started = time.perf_counter()
    try:
        scorer = load_scorer(load_bundle(Path(folder)), engine="folded", threads=1)
        scorer.score(pa.array(["The film was good.", "unknown words"]))
        outcome = {"outcome": "scored"}
    except BundleError as error:
        outcome = {"outcome": "refused", "message": str(error)}
    except Exception as error:
        outcome = {"outcome": "failed", "message": f"{type(error).__name__}: {error}"}
    return {**outcome, "seconds": time.perf_counter() - started}


def address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def main() -> None:
    for accepted in sys.argv[1:]:  # compiles the kernels
        assert outcome_of(accepted)["outcome"] == "scored", outcome_of(accepted)
    most = address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    print("ready", flush=True)
    for line in sys.stdin:
        signal.alarm(SECONDS)
        outcome = outcome_of(line.rstrip("\n"))
        signal.alarm(0)
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
