"""Documents -> the most frequent tokens of the training split, and its lengths in tokens."""

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
from pipeline.config.inputs import TRAINED
from pipeline.corpora.preparing.resolved_text import count_lengths
from pipeline.corpora.preparing.token_counts import (
    TokenCounter,
    add_token_counts,
    keep_frequent,
)
from pipeline.elements import Counts, UnitBatch
from pipeline.storage.files import Files
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class CountTokens(beam.PTransform):
    """Counts the tokens of the documents whose split is `train`.

    Writes the tokens that a vocabulary of `text.vocabulary_size` may hold to `path`, as Parquet
    with the columns `token` and `count`. Returns the counts of `count_lengths`.
    """

    text: TextConfig
    path: str
    files: Files

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """Takes `(unit index, record batch)`; every document must have a split."""
        counted = documents | "Count" >> (
            beam.ParDo(_CountTokens(self.text))
            .with_output_types(tuple[int, pa.Table], lengths=Counts)
            .with_outputs("lengths", main="tokens")
        )
        (
            counted.tokens
            | "Gather parts" >> beam.GroupByKey()
            | "Add up" >> beam.MapTuple(self._add_part)
            | WriteOneFile(self._write)
        )
        return counted.lengths

    def _add_part(self, part: int, tables: Iterable[pa.Table]) -> pa.Table:
        return self._keep(add_token_counts(tables))

    def _write(self, parts: list[pa.Table]) -> None:
        with self.files.create(self.path) as sink:
            pq.write_table(self._keep(add_token_counts(parts)), sink)

    def _keep(self, table: pa.Table) -> pa.Table:
        return keep_frequent(
            table,
            vocabulary_size=self.text.vocabulary_size,
            min_frequency=self.text.min_frequency,
        )


@dataclasses.dataclass
class _CountTokens(beam.DoFn):
    text: TextConfig

    def setup(self) -> None:
        self._tokenizer = Tokenizer(self.text)

    def start_bundle(self) -> None:
        self._counter = TokenCounter()

    def process(self, element: UnitBatch) -> Iterator[Any]:
        _, documents = element
        trained = pc.is_in(documents.column("split"), pa.array(TRAINED, pa.string()))
        training = documents.filter(trained)
        tokens = self._tokenizer.tokenize(training.column("text"))
        yield beam.pvalue.TaggedOutput("lengths", count_lengths(tokens))
        yield from self._counter.add(tokens)

    def finish_bundle(self) -> Iterator[Any]:
        for part in self._counter.finish():
            yield GlobalWindows.windowed_value(part)
