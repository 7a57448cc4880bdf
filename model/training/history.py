"""The history of a training, one row per epoch, written as CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

History = Sequence[Mapping[str, float]]


def write_history(path: Path, history: History) -> None:
    """Writes a CSV file: a header, then one line per epoch; nothing if there are none."""
    lines = [",".join(row) for row in history[:1]]
    lines += [",".join(f"{value:g}" for value in row.values()) for row in history]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
