"""Scored documents -> one file with the most and the least certain ones."""

import dataclasses

import apache_beam as beam

from pipeline.corpora.scoring.gallery import (
    ExampleDocument,
    gallery_to_lines,
    most_and_least_certain,
    select_extremes,
)
from pipeline.storage.files import Files, write_lines
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class WriteGallery(beam.PTransform):
    """Writes the most and the least certain documents as JSON lines to `path`."""

    path: str
    files: Files

    def expand(self, pairs: beam.PCollection) -> beam.PCollection:
        """Takes `(documents, predictions)`; only the extremes of each batch leave the worker."""
        return (
            pairs
            | "Choose in batch" >> beam.MapTuple(select_extremes)
            | "Choose" >> beam.CombineGlobally(_merge).without_defaults()
            | WriteOneFile(self._write)
        )

    def _write(self, groups: list[list[ExampleDocument]]) -> None:
        write_lines(self.files, self.path, gallery_to_lines(_merge(groups)))


def _merge(groups: list[list[ExampleDocument]]) -> list[ExampleDocument]:
    return most_and_least_certain(shown for group in groups for shown in group)
