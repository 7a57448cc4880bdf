"""The inputs of a run: find and check its files, and read its tables into files."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.bigquery import columns_of_line
from pipeline.corpora.reading.columns import input_columns, kept_alone, require_columns
from pipeline.corpora.reading.input_files import InputFile, find_input_files, table_files
from pipeline.process import progress
from pipeline.runners.execution import beam_pipeline
from pipeline.stages.unit_planning import check_inputs
from pipeline.storage.files import Files, join
from pipeline.storage.staged_lists import read_staged_list
from pipeline.transforms.list_files import ListFiles


@contextlib.contextmanager
def opened_inputs(
    corpus: CorpusConfig, *, scratch: str, beam_options: Sequence[str], files: Files
) -> Iterator[list[InputFile]]:
    """Yields the files of a corpus, then the files that its tables were read into.

    Every pass over a corpus must see the same rows, but a table may change while a run reads it.
    Each table is therefore read once, into files, when the block begins. These files are deleted
    when the block ends.

    Args:
        corpus: its inputs.
        scratch: a folder for the rows of tables, and for nothing else.
        beam_options: for the pipeline that reads them.
        files: where everything lies.

    Raises:
        ConfigError: for missing inputs or columns, a table without a row, or missing
            credentials or project of Google Cloud.
        RunError: if a table cannot be read.
    """
    found = find_input_files(files, corpus)
    check_inputs(files, found, corpus)
    tables = [item for item in corpus.inputs if item.format == "bigquery"]
    if not tables:
        yield found
        return
    _check_service(tables, beam_options)
    try:
        for number, table in enumerate(tables):
            folder = join(scratch, f"table-{number}")
            found += _read_table(
                table, corpus, folder=folder, beam_options=beam_options, files=files
            )
        yield found
    finally:
        files.delete([scratch])


def _check_service(tables: Sequence[InputConfig], beam_options: Sequence[str]) -> None:
    """Refuses missing credentials: Beam's connector would wait for a person at a browser."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        google.auth.default()
    except DefaultCredentialsError as error:
        raise ConfigError(
            f"{tables[0].source}: expected Google credentials on this machine, got none. "
            "Run: gcloud auth application-default login."
        ) from error
    project = PipelineOptions(list(beam_options)).view_as(GoogleCloudOptions).project
    queries = [item.source for item in tables if item.query is not None]
    if queries and not project:
        raise ConfigError(
            f"{queries[0]}: expected a project that pays for the query, got none. "
            "Add -- --project=..."
        )


def _read_table(
    table: InputConfig,
    corpus: CorpusConfig,
    *,
    folder: str,
    beam_options: Sequence[str],
    files: Files,
) -> list[InputFile]:
    columns = input_columns(corpus.columns)
    keep = kept_alone(corpus.columns)
    # Imported here: Google's clients take 0.3 s to import, and only tables need them.
    from pipeline.transforms.read_table import ReadTable

    listed = join(folder, "files.json")
    with progress.shown("read table"), beam_pipeline(beam_options, step="table") as root:
        (
            root
            | "Read" >> ReadTable(table, columns, keep, folder, files)
            | "List files" >> ListFiles(listed, files)
        )
    staged = read_staged_list(files, listed)
    if not staged:
        raise ConfigError(
            f"{table.source}: expected rows, got none. Check the table, or what the query selects."
        )
    with files.open(staged[0].path) as stream:
        require_columns(table.source, corpus.columns, columns_of_line(stream.readline()))
    found = table_files(table, staged)
    if corpus.limit is not None:  # only some rows will be read
        found = [dataclasses.replace(item, rows=None) for item in found]
    return found
