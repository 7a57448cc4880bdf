"""Text files with one item on each line."""

from collections.abc import Sequence
from pathlib import Path


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Writes one item on each line, in UTF-8; an item must not hold a line feed."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def read_lines(path: Path) -> list[str]:
    """Reads what `write_lines` wrote; only a line feed ends a line."""
    return path.read_bytes().decode().split("\n")[:-1]
