"""Planning: check the inputs of a run, then divide and group them into units of work."""

import contextlib
import functools
from collections.abc import Sequence

import apache_beam as beam

from model.config import ConfigError
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.dividing import divide_files, limit_files
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.parts import open_part, whole_file
from pipeline.corpora.reading.row_numbers import number_rows, parts_to_count
from pipeline.corpora.reading.units import Unit, group_units
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.runners.execution import beam_pipeline
from pipeline.runners.parallelism import has_one_worker
from pipeline.storage.files import Files, join, read_json, write_json
from pipeline.transforms.read_documents import CountPartRows
from pipeline.transforms.write_one_file import WriteOneFile

ROW_COUNTS = "row_counts.json"


def check_inputs(files: Files, inputs: Sequence[InputFile], corpus: CorpusConfig) -> None:
    """Reads one batch of the first file of every input, so that a wrong column fails at once.

    Raises:
        ConfigError: if a file lacks a configured column, or the storage fails.
    """
    first_files = {item.input: item for item in reversed(inputs)}
    for item in first_files.values():
        part = whole_file(item)
        try:
            # A broken file may be allowed, and the run names it with all others.
            with contextlib.suppress(BrokenFileError), open_part(files, part) as stream:
                next(iter(read_part(stream, part, corpus=corpus)), None)
        except (OSError, ValueError) as error:
            raise ConfigError(" ".join(str(error).split())) from error


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
