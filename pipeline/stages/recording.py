"""The record of a scoring run: its manifest and the last line of the log, however it ends."""

import contextlib
from collections.abc import Iterator

from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.process.logs import describe_run, record_outcome
from pipeline.runners.execution import RunError
from pipeline.storage.files import Files, join
from pipeline.storage.manifest import Manifest, one_line
from pipeline.storage.staged_lists import read_staged_list


@contextlib.contextmanager
def recorded(
    run: Manifest, *, folder: str, staging: ScoringStaging, files: Files
) -> Iterator[None]:
    """Keeps the manifest of a run true, however the block ends.

    Where it fails, the staged files are deleted first, because the disk may be too full for a
    manifest. The rejections stay: a person needs them to see why the run failed.

    Args:
        run: its manifest.
        folder: where the manifest lies.
        staging: what the run has staged.
        files: where everything lies.

    Raises:
        RunError: in place of an `OSError`.
    """
    try:
        with run.recorded(files, folder):
            try:
                yield
            except BaseException:
                run.outputs = ()
                # A second error here would hide the first, which explains the failure.
                with contextlib.suppress(Exception):
                    _delete_all_but_rejections(files, staging)
                raise
    except OSError as error:
        raise RunError(
            f"nothing was published: {one_line(error)}. Remove the cause and run again."
        ) from error


def _delete_all_but_rejections(files: Files, staging: ScoringStaging) -> None:
    """Deletes what is staged, also files of rejections that a retried worker wrote twice."""
    listed: set[str] = set()
    with contextlib.suppress(Exception):  # there is no list, or a full disk cut it short
        listed = {file.path for file in read_staged_list(files, staging.rejected_list)}
    staged = {info.path for info in files.match(join(staging.folder, "**"))}
    files.delete(sorted(staged - listed))


@contextlib.contextmanager
def concluding(run: Manifest) -> Iterator[None]:
    """Hands the outcome of a run to the last line of the log.

    The block may fail before the run has a manifest; the last line names the error then too.
    """
    try:
        yield
    except BaseException as error:
        if run.status == "running":
            run.finish("failed")
            run.extra = {**run.extra, "error": one_line(error)}
        raise
    finally:
        if run.status != "running":  # a run that skips its date does nothing and stays `running`
            record_outcome(run.run_id, describe_run(run.as_dict()))
