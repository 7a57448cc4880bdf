"""One pass over a corpus: plan its units, run a pipeline over them, count and account its rows.

score, evaluate and compare make one pass and call `pass_over_corpus`; prepare makes several and
calls its parts. So "rows read = rows used + rows rejected" is checked in one place.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from pipeline.corpora.reading.accounting import account_files, total_rows
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.process import progress
from pipeline.runners.execution import beam_pipeline
from pipeline.schemas import REJECTIONS
from pipeline.stages.unit_planning import plan_units
from pipeline.storage.files import Files, read_json
from pipeline.storage.parquet_files import ParquetLayout
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.write_record_batches import WriteRecordBatches

# Rejections are for people to read. Small row groups keep memory low; two are held at once.
REJECTED_ROW_GROUP_BYTES = 8 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class CountedCorpus:
    """What became of the rows of a corpus.

    Attributes:
        counts: everything that was counted, as nested counts.
        inputs: the `inputs` of a manifest: rows read, used and rejected of every file.
        rows: the `rows` of a manifest: rows read, rows used, rows rejected by reason.
        seconds: how long the pipeline took that counted; 0 where nobody measured it.
    """

    counts: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]]
    rows: Mapping[str, Any]
    seconds: float = 0.0


def pass_over_corpus(
    define: Callable[[beam.Pipeline, Sequence[Unit]], None],
    inputs: Sequence[InputFile],
    *,
    step: str,
    staging: ScoringStaging,
    beam_options: Sequence[str],
    files: Files,
) -> CountedCorpus:
    """Runs one pipeline over all units of a corpus and accounts for every row.

    Args:
        define: adds the transforms to a pipeline, given the units.
        inputs: the files of the corpus.
        step: what the pipeline does, in a word: shown to a person and part of the job's name.
        staging: where the pipeline writes its nested counts, and planning its row counts.
        beam_options: Beam's own flags.
        files: where everything lies.

    Raises:
        AccountingError: if the rows of a file do not balance.
        RunError: if the pipeline fails.
    """
    units = plan_units(inputs, beam_options=beam_options, files=files, staging=staging.folder)
    started = time.monotonic()
    with shown_pipeline(beam_options, step=step) as root:
        define(root, units)
    seconds = time.monotonic() - started
    return dataclasses.replace(account(read_json(files, staging.counts), inputs), seconds=seconds)


@contextlib.contextmanager
def shown_pipeline(
    beam_options: Sequence[str], *, step: str, total: int | None = None
) -> Iterator[beam.Pipeline]:
    """A pipeline that runs when the block ends, while its progress is shown.

    Args:
        beam_options: Beam's own flags.
        step: what the pipeline does, in a word: shown to a person and part of the job's name.
        total: how many documents there are, where that is known.

    Raises:
        RunError: if the pipeline fails.
    """
    with progress.shown(step, total=total), beam_pipeline(beam_options, step=step) as root:
        yield root


def account(counts: Mapping[str, Any], inputs: Sequence[InputFile]) -> CountedCorpus:
    """Checks the counts of a pass, file by file, and adds them up.

    Raises:
        AccountingError: if the rows of a file do not balance.
    """
    accounts = account_files(counts, inputs)
    return CountedCorpus(counts=counts, inputs=accounts, rows=total_rows(accounts, counts))


def write_rejections(
    rejections: Sequence[beam.PCollection], folder: str, *, listed: str, files: Files
) -> None:
    """Rejections of several steps -> Parquet files in a folder, a list of them in `listed`.

    Each step writes its own files. The in-process runner keeps what flows into a Flatten in memory
    until the step has ended, so only the names of the files are brought together, not the rows.
    """
    layout = ParquetLayout(row_group_bytes=REJECTED_ROW_GROUP_BYTES)
    staged = tuple(
        each | f"Write rejections {number}" >> WriteRecordBatches(folder, REJECTIONS, files, layout)
        for number, each in enumerate(rejections)
    )
    (
        staged
        | "All files of rejections" >> beam.Flatten()
        | "List rejections" >> ListFiles(listed, files)
    )


def count_rejections(rejections: Sequence[beam.PCollection]) -> tuple[beam.PCollection, ...]:
    """Rejections of several steps -> their nested counts, a PCollection for each step."""
    return tuple(
        each | f"Count rejections {number}" >> CountRejections()
        for number, each in enumerate(rejections)
    )
