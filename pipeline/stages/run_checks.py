"""What must hold of a run before what it made is published."""

import uuid
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from model.config import ConfigError
from pipeline.config.sections import Config, CorpusConfig, DriftConfig
from pipeline.corpora.reading.accounting import (
    describe_too_many,
    has_too_many_rejections,
)
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.reports.formats import counted
from pipeline.runners.execution import RunError
from pipeline.stages.corpus_pass import NOTHING_PUBLISHED, CountedCorpus
from pipeline.stages.owned_date import TRANSIENT_ERRORS
from pipeline.storage.files import Files, join, write_text
from pipeline.storage.manifest import Manifest, one_line
from pipeline.storage.staging import StagedFile

NAMED_FILES = 5  # how many broken files a message names


def check_run_rows(run: Manifest, config: Config, *, written: int, staging: ScoringStaging) -> None:
    """Checks that the run read rows, answered every one, and rejected few enough.

    Args:
        run: its manifest, with the rows counted.
        config: says which share of the rows may be rejected.
        written: the rows in the staged files of predictions.
        staging: where the rejections lie.

    Raises:
        ConfigError: if there was no row at all.
        RunError: if files are broken, rows are missing, or too many were rejected.
    """
    check_broken(run.rows, config.corpus)
    if run.rows["read"] == 0:
        broken = run.rows.get("broken_files", {})
        why = f". What is broken: {_named_files(broken)}" if broken else ""
        raise ConfigError(
            f"Nothing was published: {run.inputs[0]['file']}: expected rows, got none in "
            f"{counted(len(run.inputs), 'input file')}{why}. Check that the corpus of the date is "
            "complete."
        )
    expected = run.rows["used"] - run.extra["below_min_score"]
    if written != expected:
        raise RunError(
            f"Nothing was published: expected {expected:,} rows in the predictions files, "
            f"got {written:,}. Run again, and report this if it happens twice."
        )
    check_rejected(
        CountedCorpus(counts=run.extra, inputs=run.inputs, rows=run.rows),
        config.corpus,
        hint=f"Read the rejections in {staging.rejected}.",
    )


def check_broken(
    rows: Mapping[str, Any], corpus: CorpusConfig, *, outcome: str = NOTHING_PUBLISHED
) -> None:
    """Checks that no more files are broken than `corpus.max_broken_files`.

    Args:
        rows: the `rows` of a manifest.
        corpus: says how many files may be broken.
        outcome: the beginning of the message, which says what the run did not do.

    Raises:
        RunError: with the first files, what is wrong with them, and what to do.
    """
    broken = rows.get("broken_files", {})
    if len(broken) > corpus.max_broken_files:
        raise RunError(
            f"{outcome}: {counted(len(broken), 'input file')} cannot be read to the "
            f"end, expected at most {corpus.max_broken_files} (corpus.max_broken_files): "
            f"{_named_files(broken)}. Repair or remove what is broken; or "
            "raise corpus.max_broken_files to use the whole rows before the damage."
        )


def _named_files(broken: Mapping[str, str]) -> str:
    """The first broken files, each with what is wrong with it."""
    named = "; ".join(
        f"{file}: {why.rstrip('.')}" for file, why in islice(broken.items(), NAMED_FILES)
    )
    more = len(broken) - NAMED_FILES
    return f"{named}; and {more:,} more" if more > 0 else named


def check_workspace(workspace: str, *, files: Files) -> None:
    """Checks that a file can be written into the workspace, before hours of work.

    Raises:
        ConfigError: if not.
        RunError: if not now, but perhaps later, such as with a full disk.
    """
    probe = join(workspace, f".written-{uuid.uuid4().hex}")
    try:
        write_text(files, probe, "")
        files.delete([probe])
    except OSError as error:
        kind = RunError if error.errno in TRANSIENT_ERRORS else ConfigError
        raise kind(
            f"workspace: expected a folder that can be written, got {one_line(error)} in "
            f"{workspace!r}. Name another one with --set workspace=DIR, or repair this one."
        ) from error


def check_rejected(
    counted_corpus: CountedCorpus,
    corpus: CorpusConfig,
    *,
    hint: str,
    outcome: str = NOTHING_PUBLISHED,
) -> None:
    """Checks that no larger share of the rows was rejected than `corpus.max_rejected_fraction`.

    A few rejected rows of a small corpus are allowed, see `allowed_rejections`.

    Args:
        counted_corpus: how many rows were rejected, and the first row of each reason.
        corpus: says which share may be rejected.
        hint: where the rejections can be read, in a sentence.
        outcome: the beginning of the message, which says what the run did not do.

    Raises:
        RunError: with the share, and every reason with its count and its first row.
    """
    rows = counted_corpus.rows
    if broken := rows.get("broken_files"):
        hint = f"What is broken, which may be the cause: {_named_files(broken)}. {hint}"
    if has_too_many_rejections(rows, corpus.max_rejected_fraction):
        raise RunError(
            describe_too_many(
                rows,
                counted_corpus.counts.get("first_rejected", {}),
                max_rejected_fraction=corpus.max_rejected_fraction,
                outcome=outcome,
                hint=hint,
            )
        )


def check_staged(files: Files, folder: str, staged: Sequence[StagedFile]) -> None:
    """Checks that every staged file still lies in the folder with the size that was written.

    Raises:
        RunError: naming the first file that is missing or has another size.
    """
    start = len(folder) + 1
    present = {info.path[start:]: info.bytes for info in files.match(join(folder, "**"))}
    for file in staged:
        found = present.get(file.path[start:])
        if found != file.bytes:
            raise RunError(
                f"Nothing was published: {file.path}: expected the {file.bytes:,} bytes that were "
                f"written, got {'no file' if found is None else f'{found:,}'}. Run again; if it "
                "happens twice, find out what else changes this folder."
            )


def check_drift(config: DriftConfig, warnings: Sequence[str]) -> None:
    """Refuses a corpus that drifted, where `drift.on_drift` is `block`.

    Raises:
        RunError: with the warnings.
    """
    if warnings and config.on_drift == "block":
        raise RunError(f"Nothing was published (drift.on_drift): {' '.join(warnings)}")
