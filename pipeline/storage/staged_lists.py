"""Lists of staged files: which of the files in a staging folder belong to the run.

A retried worker may have left other files there; the list does not name them.
"""

import dataclasses
from collections.abc import Iterable

from pipeline.storage.files import Files, read_json, write_json
from pipeline.storage.staging import StagedFile


def write_staged_list(files: Files, path: str, staged: Iterable[tuple[int, StagedFile]]) -> None:
    """Writes the list of `(order, StagedFile)` as JSON, sorted by order and path."""
    ordered = [dataclasses.asdict(file) for _, file in sorted(staged, key=_order)]
    write_json(files, path, ordered)


def read_staged_list(files: Files, path: str) -> list[StagedFile]:
    """Reads what `write_staged_list` wrote."""
    return [StagedFile(**item) for item in read_json(files, path)]


def _order(item: tuple[int, StagedFile]) -> tuple[int, str]:
    return item[0], item[1].path
