"""Planning: check the inputs of a run, then divide and group them into units of work."""

import contextlib
import functools
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import apache_beam as beam

from model.config import ConfigError
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.columns import columns_of_no_row
from pipeline.corpora.reading.counts import add_counts, add_to
from pipeline.corpora.reading.dividing import divide_files, limit_files
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.parts import open_part, whole_file
from pipeline.corpora.reading.row_numbers import number_rows, parts_to_count
from pipeline.corpora.reading.units import Unit, group_units
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.runners.execution import beam_pipeline
from pipeline.runners.parallelism import has_one_worker
from pipeline.stages.missing_columns import require_named_columns
from pipeline.storage.files import Files, join, read_json, write_json
from pipeline.transforms.read_documents import CountPartRows
from pipeline.transforms.write_one_file import WriteOneFile

ROW_COUNTS = "row_counts.json"


def check_inputs(files: Files, inputs: Sequence[InputFile], corpus: CorpusConfig) -> None:
    """Reads one batch of the first file of every input, so that a wrong column fails at once.

    If none of the first rows has the id that the config names, the last files are read, too.

    Raises:
        ConfigError: if a file lacks a configured column, or the storage fails.
    """
    first_files = {item.input: item for item in reversed(inputs)}
    counts = _count_columns(first_files.values(), corpus, files=files)
    if any(field == "id" for field, _, _ in columns_of_no_row(counts)):
        last_files = {item.input: item for item in inputs}
        more = [item for item in last_files.values() if item is not first_files[item.input]]
        counts = add_counts([counts, _count_columns(more, corpus, files=files)])
        of_id = {"columns": {"id": counts["columns"]["id"]}}  # the others may come later
        require_named_columns(of_id, inputs, corpus, files=files, where="the first ")


def _count_columns(
    inputs: Iterable[InputFile], corpus: CorpusConfig, *, files: Files
) -> dict[str, Any]:
    """Which of the first documents of the files have the columns that the config names."""
    counts: dict[str, Any] = {}
    for item in inputs:
        part = whole_file(item)
        try:
            # A broken file may be allowed, and the run names it with all others.
            with contextlib.suppress(BrokenFileError), open_part(files, part) as stream:
                for batch in islice(read_part(stream, part, corpus=corpus), 1):
                    add_to(counts, batch.columns)
        except (OSError, ValueError) as error:
            raise ConfigError(" ".join(str(error).split())) from error
    return counts


def plan_units(
    inputs: Sequence[InputFile],
    *,
    beam_options: Sequence[str],
    files: Files,
    staging: str,
    limit: int | None = None,
) -> list[Unit]:
    """Divides large files and groups small ones, so that every row has a number.

    Workers that share a large file must know the number of the first row of each part. A
    pipeline then counts the rows of the parts first. One worker alone reads each file whole and
    needs no counts.

    Args:
        inputs: the files of the corpus.
        beam_options: Beam's own flags. They say how many workers there are, and run the
            pipeline that counts rows.
        files: where they lie.
        staging: a folder for the file of counts.
        limit: how many rows of each input to read; None: all.

    Raises:
        RunError: if the pipeline that counts rows fails.
    """
    sizes = {item.info.path: item.info.bytes for item in inputs}
    if limit is not None:
        return group_units(limit_files(inputs, limit=limit), sizes)
    if has_one_worker(beam_options):
        return group_units(map(whole_file, inputs), sizes)
    parts = divide_files(files, inputs)
    to_count = parts_to_count(parts)
    if to_count:
        row_counts = join(staging, ROW_COUNTS)
        with beam_pipeline(beam_options, step="rows") as root:
            (
                root
                | "Parts" >> beam.Create(to_count)
                | "Count rows" >> CountPartRows(files)
                | WriteOneFile(functools.partial(_write_counts, files=files, path=row_counts))
            )
        counts = {(path, start): rows for path, start, rows in read_json(files, row_counts)}
        parts = number_rows(parts, counts)
    return group_units(parts, sizes)


def _write_counts(
    counts: Sequence[tuple[tuple[str, int], int]], *, files: Files, path: str
) -> None:
    write_json(files, path, [[part, start, rows] for (part, start), rows in counts])
