"""A BigQuery table or query -> files of JSON lines; the same rows give the same files."""

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.bigquery import ReadFromBigQuery
from apache_beam.transforms.window import GlobalWindows

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.bigquery import bucket_of, row_to_line, sort_lines
from pipeline.process import progress
from pipeline.storage.files import Files, join
from pipeline.storage.staging import StagedFile

# A bundle yields its lines when it holds this many bytes of them.
BUNDLE_BYTES = 16 << 20


@dataclasses.dataclass
class ReadTable(beam.PTransform):
    """Reads the rows of an input of format `bigquery`.

    Writes one file for each bucket under `folder`, with the given `columns` only; those of `keep`
    as kept values. Yields `(bucket, StagedFile)`.
    """

    input: InputConfig
    columns: tuple[str, ...]
    keep: tuple[str, ...]
    folder: str
    files: Files

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        """Reads, sorts and writes the rows; lines are shuffled in packs, by bucket."""
        return (
            root
            | "Rows" >> rows_of(self.input)
            | "Pack lines" >> beam.ParDo(_PackLines(self.columns, self.keep))
            | "Gather buckets" >> beam.GroupByKey()
            | "Write" >> beam.MapTuple(self._write)
        )

    def _write(self, bucket: int, packs: Iterable[bytes]) -> tuple[int, StagedFile]:
        """Writes a bucket; a retried bundle writes the same bytes to the same path."""
        lines = sort_lines(packs)
        content = b"".join(line + b"\n" for line in lines)
        path = join(self.folder, f"{bucket:03d}.jsonl")
        with self.files.create(path) as sink:
            sink.write(content)
        digest = hashlib.sha256(content).hexdigest()
        staged = StagedFile(path=path, bytes=len(content), rows=len(lines), sha256=digest)
        return bucket, staged


def rows_of(item: InputConfig) -> beam.PTransform:
    """Beam's connector, which yields a mapping for each row.

    It uses the Storage Read API, which needs no Cloud Storage bucket for temporary files.
    """
    direct = ReadFromBigQuery.Method.DIRECT_READ
    if item.table is not None:
        return ReadFromBigQuery(method=direct, table=item.table)
    return ReadFromBigQuery(method=direct, query=item.query, use_standard_sql=True)


@dataclasses.dataclass
class _PackLines(beam.DoFn):
    """Rows -> `(bucket, lines joined by line feeds)`."""

    columns: tuple[str, ...]
    keep: tuple[str, ...]

    def start_bundle(self) -> None:
        self._lines: dict[int, list[bytes]] = defaultdict(list)
        self._bytes = 0

    def process(self, row: Mapping[str, Any]) -> Iterator[tuple[int, bytes]]:
        line = row_to_line(row, self.columns, self.keep)
        self._lines[bucket_of(line)].append(line)
        self._bytes += len(line)
        progress.advance(1)
        if self._bytes >= BUNDLE_BYTES:
            yield from self._packs()

    def finish_bundle(self) -> Iterator[Any]:
        for pack in self._packs():
            yield GlobalWindows.windowed_value(pack)

    def _packs(self) -> Iterator[tuple[int, bytes]]:
        for bucket, lines in self._lines.items():
            yield bucket, b"\n".join(lines)
        self.start_bundle()
