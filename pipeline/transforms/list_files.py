"""Staged files -> one JSON file that lists them."""

import dataclasses
from collections.abc import Iterable

import apache_beam as beam

from pipeline.storage.files import Files, read_json, write_json
from pipeline.storage.staging import StagedFile
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class ListFiles(beam.PTransform):
    """Writes the list of staged files, `(order, StagedFile)`, to `path` as JSON, in order."""

    path: str
    files: Files

    def expand(self, staged: beam.PCollection) -> beam.PCollection:
        """Writes `[]` if nothing was staged."""
        return staged | WriteOneFile(self._write)

    def _write(self, staged: Iterable[tuple[int, StagedFile]]) -> None:
        ordered = [dataclasses.asdict(file) for _, file in sorted(staged, key=_order)]
        write_json(self.files, self.path, ordered)


def read_list(files: Files, path: str) -> list[StagedFile]:
    """Reads what `ListFiles` wrote."""
    return [StagedFile(**item) for item in read_json(files, path)]


def _order(item: tuple[int, StagedFile]) -> tuple[int, str]:
    return item[0], item[1].path
