"""Serialized examples -> TFRecord shards."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from pipeline.corpora.preparing.piece_writer import PieceWriter
from pipeline.corpora.preparing.shards import Piece, Shard, plan_shards
from pipeline.storage.files import Files
from pipeline.storage.staging import StagedFile, stage_files


@dataclasses.dataclass
class WriteExamples(beam.PTransform):
    """Writes `<folder>/<split>-00000-of-000NN.tfrecord.gz`.

    `shards` is the number of files per split; a split gets fewer if no unit has that many examples
    of it. None: the number follows from the size. Yields `(order, StagedFile)` for each shard.
    """

    folder: str
    staging: str
    files: Files
    shards: int | None = None

    def expand(self, examples: beam.PCollection) -> beam.PCollection:
        """Takes `(unit index, {split: serialized examples})`; each unit's batches in order."""
        return (
            examples
            | "Write pieces" >> beam.ParDo(_WritePieces(self.staging, self.files, self.shards))
            | "Gather" >> beam.combiners.ToList()
            | "Plan shards" >> beam.FlatMap(plan_shards, folder=self.folder, shards=self.shards)
            | "Spread" >> beam.Reshuffle()
            | "Join pieces" >> beam.Map(self._join)
        )

    def _join(self, shard: Shard) -> tuple[int, StagedFile]:
        paths = [piece.file.path for piece in shard.pieces]
        return shard.order, stage_files(self.files, paths, path=shard.path, rows=shard.rows)


@dataclasses.dataclass
class _WritePieces(beam.DoFn):
    staging: str
    files: Files
    shards: int | None

    def start_bundle(self) -> None:
        self._pieces = PieceWriter(self.staging, self.files, shards=self.shards)

    def process(self, element: tuple[int, dict[str, Sequence[bytes]]]) -> Iterator[Piece]:
        yield from self._pieces.write(*element)

    def finish_bundle(self) -> Iterator[Any]:
        for piece in self._pieces.close():
            yield GlobalWindows.windowed_value(piece)
