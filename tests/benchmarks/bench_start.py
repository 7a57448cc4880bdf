"""How long a short command takes to start: its help, and the scoring of one document.

    python -m tests.benchmarks.bench_start

Scoring is measured as it is, and with the optional libraries that a start usually blocks
(`model.runtime.blocked_imports`). All commands run in turns; the medians of their CPU seconds are
printed.
"""

import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.processes import run_process
from tests.benchmarks.review_models import write_review_model

ROUNDS = 7
TEXT = "one review of a good film, which nobody has seen"

# The command with a `block_imports` that blocks nothing.
UNBLOCKED = (
    "import contextlib, sys; from model.runtime import blocked_imports; "
    "blocked_imports.block_imports = lambda *names: contextlib.nullcontext(); "
    "from pipeline.__main__ import main; main()"
)


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, by the name under which it is printed."""
    corpus = folder / "corpus.jsonl"
    corpus.write_text(json.dumps({"id": "1", "text": TEXT, "label": "good"}) + "\n")
    model = write_review_model(folder / "model", [TEXT])
    score = ["score", "--model", model, "--input", str(corpus), "--output", str(folder / "out")]
    return {
        "--help": [sys.executable, "-m", "pipeline", "--help"],
        "score, one document": [sys.executable, "-m", "pipeline", *score],
        "score, no import blocked": [sys.executable, "-c", UNBLOCKED, *score],
    }


def main() -> None:
    """Prints a line for each command."""
    with tempfile.TemporaryDirectory() as folder:
        measured = commands(Path(folder))
        for command in measured.values():
            run_process(command)  # compiles kernels and fills caches
        rounds = [
            {name: run_process(command)[0].cpu for name, command in measured.items()}
            for _ in itertools.repeat(None, ROUNDS)
        ]
    for name in measured:
        seconds = [each[name] for each in rounds]
        print(
            f"{name:<26}{statistics.median(seconds):.2f} s of CPU time "
            f"({min(seconds):.2f} to {max(seconds):.2f}, {ROUNDS} runs in turns)"
        )


if __name__ == "__main__":
    main()
