"""Staged files -> one JSON file that lists them."""

import dataclasses

import apache_beam as beam

from pipeline.storage.files import Files
from pipeline.storage.staged_lists import write_staged_list
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

    def _write(self, staged: list[tuple[int, StagedFile]]) -> None:
        write_staged_list(self.files, self.path, staged)
