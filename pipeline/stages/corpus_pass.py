"""One pass over a corpus: plan its units, run a pipeline over them, count and account its rows.

score, evaluate and compare make one pass and call `pass_over_corpus`; prepare makes several and
calls its parts. So "rows read = rows used + rows rejected" is checked in one place.
"""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.accounting import account_files, describe_too_many, total_rows
from pipeline.corpora.reading.early_stop.row_bounds import bound_rows
from pipeline.corpora.reading.early_stop.watch import RejectionWatch, watching
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.process import progress
from pipeline.runners.execution import RunError, beam_pipeline
from pipeline.schemas import REJECTIONS
from pipeline.stages.unit_planning import plan_units
from pipeline.storage.files import Files, read_json
from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout
from pipeline.storage.staged_lists import write_staged_list
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.write_record_batches import WriteRecordBatches

NOTHING_PUBLISHED = "Nothing was published"
# Of a run that keeps no rejections. Scoring would not find all of them: it reads no labels.
SEE_REJECTIONS = (
    "Repair the corpus, or check corpus.columns; compare needs no labels "
    "(corpus.columns.label=null)."
)

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
    corpus: CorpusConfig,
    *,
    step: str,
    staging: ScoringStaging,
    beam_options: Sequence[str],
    files: Files,
    outcome: str = NOTHING_PUBLISHED,
    keep_rejections: bool = False,
) -> CountedCorpus:
    """Runs one pipeline over all units of a corpus and accounts for every row.

    Args:
        define: adds the transforms to a pipeline, given the units.
        inputs: the files of the corpus.
        corpus: says which share of the rows may be rejected.
        step: what the pipeline does, in a word: shown to a person and part of the job's name.
        staging: where the pipeline writes its nested counts, and planning its row counts.
        beam_options: Beam's own flags.
        files: where everything lies.
        outcome: what a run did not do that must be stopped, for its message.
        keep_rejections: whether such a run leaves its first rejections in `staging.rejected`.

    Raises:
        AccountingError: if the rows of a file do not balance.
        RunError: if the pipeline fails, or too many rows are rejected while it reads.
    """
    units = plan_units(inputs, beam_options=beam_options, files=files, staging=staging.folder)
    started = time.monotonic()
    with (
        stopped_early(
            units,
            corpus,
            outcome=outcome,
            rejected=staging.rejected if keep_rejections else None,
            listed=staging.rejected_list,
            files=files,
        ),
        shown_pipeline(beam_options, step=step) as root,
    ):
        define(root, units)
    seconds = time.monotonic() - started
    return dataclasses.replace(account(read_json(files, staging.counts), inputs), seconds=seconds)


@contextlib.contextmanager
def stopped_early(
    units: Sequence[Unit],
    corpus: CorpusConfig,
    *,
    rejected: str | None,
    listed: str,
    files: Files,
    outcome: str = NOTHING_PUBLISHED,
) -> Iterator[None]:
    """Within the block, a pipeline stops once it must fail for the rows that it rejected.

    Args:
        units: what the pipeline reads.
        corpus: says which share of the rows may be rejected.
        rejected: the folder where the first rejections are left; None: they are not kept.
        listed: the list of the files in that folder.
        files: where everything lies.
        outcome: what the run did not do, for the message.

    Raises:
        RunError: with the message that the run would have at its end, where the pipeline stopped.
    """
    limit = corpus.max_decompressed_bytes
    parts = [
        dataclasses.replace(part, max_decompressed_bytes=limit)
        for unit in units
        for part in unit.parts
    ]
    watch = RejectionWatch(
        corpus.max_rejected_fraction, functools.partial(bound_rows, files, parts)
    )
    try:
        with watching(watch):
            yield
    except RunError as error:
        if not watch.stopped:
            raise
        rows = watch.counts
        hint = SEE_REJECTIONS
        if rejected is not None:
            output = ParquetFiles(REJECTIONS, ParquetLayout(), folder=rejected, files=files)
            written = [file for each in watch.first_rejections for file in output.write(each)]
            written += output.close()
            write_staged_list(files, listed, [(0, file) for file in written])
            hint = f"Read the first rejections in {rejected}."
        message = describe_too_many(
            rows,
            rows["first_rejected"],
            max_rejected_fraction=corpus.max_rejected_fraction,
            outcome=outcome,
            hint=f"The run stopped after {rows['read']:,} rows: it could not pass any more. {hint}",
        )
        raise RunError(message) from error


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
