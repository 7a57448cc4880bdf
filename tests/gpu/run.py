"""Measures Limelight on a GPU with JAX, beside PyTorch; writes a JSON file and prints a table.

    python -m tests.gpu.run --output results.json [--data FOLDER] [--budget SECONDS]

The parts, in the order in which they run:

- `environment`: the device, its driver, the versions of the libraries.
- `parity`: how far the GPU's results are from the CPU's, and whether cuDNN's kernels are used.
- `imdb`: trains `guide_attention_2d` for 3 epochs on the folder that `tests.gpu.pack` wrote, stops
  and resumes a training, and scores with the CPU engine what the GPU trained. Needs `--data`.
- `speed`: documents a second in training and scoring, beside `torch.nn.LSTM`.

Each part runs in a process of its own. A part that fails, or is not done when its time is up, does
not stop the others: its error is in the file beside what it had measured. The file is written
after every measurement.
"""

import argparse
import dataclasses
import importlib
import json
import multiprocessing
import os
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.gpu.tables import print_tables

# The module of each part, and the most seconds that it may take beside others.
PARTS = {"environment": 40, "parity": 120, "imdb": 150, "speed": 600}

# Less than 8 minutes, with the start of the last process.
BUDGET = 460


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What a part is told.

    Attributes:
        data: the folder that `tests.gpu.pack` wrote, or None.
        tiny: whether sizes are cut to what a CPU does in seconds, to try the command.
        seconds: after so many seconds the part starts no further measurement.
    """

    data: Path | None
    tiny: bool
    seconds: float


def main() -> None:
    """Runs the parts and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--data", type=Path, help="the folder that tests.gpu.pack wrote")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for all parts")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try it on a CPU")
    arguments = parser.parse_args()
    if not arguments.output.resolve().parent.is_dir():
        parser.error(f"--output: expected a file in an existing folder, got {arguments.output}")
    _set_up_environment()
    end = time.monotonic() + arguments.budget
    results: dict[str, Any] = {}
    for part in (part for part in PARTS if part in arguments.only):
        started = time.monotonic()
        seconds = end - started
        if len(arguments.only) > 1:
            seconds = min(seconds, PARTS[part])
        options = Options(data=arguments.data, tiny=arguments.tiny, seconds=seconds)
        for name, value in run_part(part, options):
            results.setdefault(part, {})[name] = value
            results[part]["seconds"] = round(time.monotonic() - started, 1)
            _write(arguments.output, results)
    print_tables(results)
    if any("error" in values for values in results.values()):
        sys.exit(1)


def _set_up_environment() -> None:
    """Sets what the libraries read when a part's process imports them."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    # JAX would take three quarters of the GPU's memory at its start, and PyTorch needs some, too.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def run_part(part: str, options: Options) -> Any:
    """Runs a part in a new process; yields the names and values that it reports."""
    print(f"{part}: at most {options.seconds:.0f} s", flush=True)
    if options.seconds < 1:
        yield "error", "no time was left"
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(part, options, theirs))
    process.start()
    theirs.close()
    end = time.monotonic() + options.seconds
    try:
        while ours.poll(max(0.0, end - time.monotonic())):
            yield ours.recv()
        yield "error", f"stopped after {options.seconds:.0f} s"
        process.kill()
    except EOFError:
        process.join()
        if process.exitcode:
            yield "error", f"the process ended with exit code {process.exitcode}"
    finally:
        process.join()


def _serve(part: str, options: Options, connection: Connection) -> None:
    """Runs in a part's process: sends what the part reports, or the traceback of its failure."""

    def report(name: str, value: Any) -> None:
        print(f"  {name}: {value}", flush=True)
        connection.send((name, value))

    try:
        importlib.import_module(f"tests.gpu.{part}").run(report, options)
    except Exception:
        report("error", traceback.format_exc())


def _write(path: Path, results: dict[str, Any]) -> None:
    """Replaces the file in one step, so that it is complete whenever the process is stopped."""
    written = path.with_suffix(".new")
    written.write_text(json.dumps(results, indent=1), encoding="utf-8")
    written.replace(path)


if __name__ == "__main__":
    main()
