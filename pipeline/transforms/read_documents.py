"""Units of files -> record batches of documents, rejections and counts."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_unit import read_unit
from pipeline.corpora.reading.early_stop import watch
from pipeline.corpora.reading.parts import FilePart, open_part
from pipeline.corpora.reading.read_ahead import read_ahead
from pipeline.corpora.reading.row_numbers import count_rows
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.repeated_ids import RepeatedIds
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.elements import Counts, UnitBatch
from pipeline.process import progress
from pipeline.storage.files import Files


@dataclasses.dataclass
class ReadDocuments(beam.PTransform):
    """Reads units of files.

    Returns three PCollections: `documents` and `rejections`, of `(unit index, record batch)`, and
    `counts`, nested counts by file.
    """

    corpus: CorpusConfig
    files: Files
    count_repeats: bool = False  # ids that repeat within a unit

    def expand(self, units: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Takes `Unit`s. A unit is read by one worker, so its rows stay in order."""
        read = _ReadUnit(self.corpus, self.files, self.count_repeats)
        return units | "Read" >> beam.ParDo(read).with_output_types(
            UnitBatch, rejections=UnitBatch, counts=Counts
        ).with_outputs("rejections", "counts", main="documents")


@dataclasses.dataclass
class CountPartRows(beam.PTransform):
    """Counts the rows of parts of divided files, so that `number_rows` can number them."""

    files: Files

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        """Yields `((path, start), rows)` for each part."""
        return parts | "Count" >> beam.Map(self._count)

    def _count(self, part: FilePart) -> tuple[tuple[str, int], int]:
        try:
            with open_part(self.files, part) as stream:
                return (part.path, part.start), count_rows(stream, part)
        except BrokenFileError:  # reported when the part is read
            return (part.path, part.start), 0


@dataclasses.dataclass
class _ReadUnit(beam.DoFn):
    corpus: CorpusConfig
    files: Files
    count_repeats: bool

    def process(self, unit: Unit) -> Iterator[Any]:
        watch.begin(unit.index)
        ids = RepeatedIds()
        for batch in read_ahead(read_unit(self.files, unit, corpus=self.corpus)):
            if batch.documents is not None:
                if self.count_repeats:
                    ids.add(batch.documents.column("document_id"))
                yield unit.index, batch.documents
            if batch.rejections is not None:
                yield beam.pvalue.TaggedOutput("rejections", (unit.index, batch.rejections))
            # Beam runs the next steps on a batch before it asks for another one, so these rows
            # have been processed by now, not only read.
            progress.advance(batch.rows_read)
            watch.note(unit.index, rows_read=batch.rows_read, rejections=batch.rejections)
            yield beam.pvalue.TaggedOutput("counts", batch.counts)
        if repeated := ids.count():
            yield beam.pvalue.TaggedOutput("counts", {"repeated_ids": repeated})
