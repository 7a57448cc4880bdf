"""Planning: check the inputs of a run, then divide and group them into units of work."""

import contextlib
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
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

logger = logging.getLogger("limelight")

ROW_COUNTS = "row_counts.json"


def check_inputs(files: Files, inputs: Sequence[InputFile], corpus: CorpusConfig) -> None:
    """Reads one batch of the first file of every input, so that a wrong column fails at once.

    If none of the first rows has the id that the config names, the last files are read, too. A
    later row may have one, so the corpus is refused only if these were all rows; otherwise the log
    says it.

    Raises:
        ConfigError: if a file lacks a configured column, or the storage fails.
    """
    first_files = {item.input: item for item in reversed(inputs)}
    counts, whole = _count_columns(first_files.values(), corpus, files=files)
    if _lacks_id(counts):
        last_files = {item.input: item for item in inputs}
        more = [item for item in last_files.values() if item is not first_files[item.input]]
        of_more, whole_more = _count_columns(more, corpus, files=files)
        counts = add_counts([counts, of_more])
        of_id = {"columns": {"id": counts["columns"]["id"]}}  # the others may come later
        all_read = whole and whole_more and len(first_files) + len(more) == len(inputs)
        try:
            require_named_columns(of_id, inputs, corpus, files=files, where="the first ")
        except ConfigError as error:
            if all_read:
                raise
            logger.warning("%s If no later document has one either, the run fails.", error)


def _count_columns(
    inputs: Iterable[InputFile], corpus: CorpusConfig, *, files: Files
) -> tuple[dict[str, Any], bool]:
    """Which of the first documents of the files have the columns that the config names.

    The second value says whether these are all rows of the files, if none of them has an id.
    """
    counts: dict[str, Any] = {}
    whole = True
    for item in inputs:
        part = whole_file(item)
        try:
            # A broken file may be allowed, and the run names it with all others.
            with contextlib.suppress(BrokenFileError), open_part(files, part) as stream:
                batches = read_part(stream, part, corpus=corpus)
                for batch in islice(batches, 1):
                    add_to(counts, batch.columns)
                whole = whole and _lacks_id(counts) and next(batches, None) is None
        except (OSError, ValueError) as error:
            raise ConfigError(" ".join(str(error).split())) from error
    return counts, whole


def _lacks_id(counts: Mapping[str, Any]) -> bool:
    return any(field == "id" for field, _, _ in columns_of_no_row(counts))


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
