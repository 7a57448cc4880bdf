"""Training texts -> one file of the most frequent tokens and their counts."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.transforms.window import GlobalWindows

from model.config import TextConfig
from model.text.tokenizer import Tokenizer
from pipeline.corpora.preparing.token_counts import (
    add_token_counts,
    count_tokens,
    keep_frequent,
    part_by_token,
)
from pipeline.storage.files import Files
from pipeline.transforms.write_one_file import WriteOneFile

# Distinct tokens a bundle holds before it hands them on.
BUNDLE_TOKENS = 1_000_000


@dataclasses.dataclass
class CountTokens(beam.PTransform):
    """Counts the tokens of the documents whose split is `train`.

    Writes a Parquet file of those that a vocabulary of `text.vocabulary_size` may hold,
    `token` and `count`, to `path`.
    """

    text: TextConfig
    path: str
    files: Files

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """`(unit index, record batch)` with splits assigned."""
        return (
            documents
            | "Count" >> beam.ParDo(_CountTokens(self.text))
            | "Gather parts" >> beam.GroupByKey()
            | "Add up" >> beam.MapTuple(self._add_part)
            | WriteOneFile(self._write)
        )

    def _add_part(self, part: int, tables: Iterable[pa.Table]) -> pa.Table:
        return self._keep(add_token_counts(tables))

    def _write(self, parts: list[pa.Table]) -> None:
        with self.files.create(self.path) as sink:
            pq.write_table(self._keep(add_token_counts(parts)), sink)

    def _keep(self, table: pa.Table) -> pa.Table:
        return keep_frequent(
            table, most=self.text.vocabulary_size, min_frequency=self.text.min_frequency
        )


@dataclasses.dataclass
class _CountTokens(beam.DoFn):
    text: TextConfig

    def setup(self) -> None:
        self._tokenizer = Tokenizer(self.text)

    def start_bundle(self) -> None:
        self._tables: list[pa.Table] = []
        self._rows = 0

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[tuple[int, pa.Table]]:
        _, documents = element
        training = documents.filter(pc.equal(documents.column("split"), "train"))
        counted = count_tokens(training.column("text"), self._tokenizer)
        self._tables.append(counted)
        self._rows += counted.num_rows
        if self._rows > BUNDLE_TOKENS:
            merged = add_token_counts(self._tables)
            if merged.num_rows > BUNDLE_TOKENS // 2:
                yield from part_by_token(merged)
                merged = merged.slice(0, 0)
            self._tables, self._rows = [merged], merged.num_rows

    def finish_bundle(self) -> Iterator[Any]:
        for part in part_by_token(add_token_counts(self._tables)):
            yield GlobalWindows.windowed_value(part)
