"""The files of a corpus: those that match the globs of the config, or were staged from a table."""

import dataclasses
import glob
import os
from collections.abc import Sequence

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.source_names import distinct_names
from pipeline.storage.files import FileInfo, Files, base_name
from pipeline.storage.folders import is_local
from pipeline.storage.staging import StagedFile


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file of the corpus.

    Attributes:
        info: the path and the size.
        source_file: the name of the file in rows and in generated document ids.
        input: the config of the input that it belongs to.
        table: the `InputConfig.source` of the BigQuery table that the file was staged from; None
            for any other file.
    """

    info: FileInfo
    source_file: str
    input: InputConfig
    table: str | None = None

    @property
    def name(self) -> str:
        """The name in manifests and messages: the table's name, or the path of the file."""
        return self.table or self.info.path


def find_input_files(files: Files, corpus: CorpusConfig) -> list[InputFile]:
    """Lists the files of a corpus, input by input; those of one input are sorted by path.

    BigQuery tables are left out.

    Raises:
        ConfigError: if the corpus has no input, or if an input matches no file, a file that an
            earlier input matches, or a symbolic link whose target does not exist.
    """
    if not corpus.inputs:
        raise ConfigError(
            "corpus.inputs: expected at least one input, got none. "
            "Add inputs: [{path: ..., format: jsonl}] to the config."
        )
    found: list[tuple[FileInfo, InputConfig]] = []
    for position, input_config in enumerate(corpus.inputs):
        if input_config.format == "bigquery":
            continue
        key = f"corpus.inputs.{position}.path"
        matched = _match(files, input_config.path, key=key)
        seen = {info.path for info, _ in found}
        twice = [info.path for info in matched if info.path in seen]
        if twice:
            raise ConfigError(
                f"{key}: expected files that no earlier input matches, "
                f"got {twice[0]}. Narrow one of the globs."
            )
        found += [(info, input_config) for info in matched]
    names = distinct_names([info.path for info, _ in found])
    return [
        InputFile(info=info, source_file=names[info.path], input=input_config)
        for info, input_config in found
    ]


def table_files(table: InputConfig, staged: Sequence[StagedFile]) -> list[InputFile]:
    """The files of JSON lines that a table was read into; together they are one input."""
    lines = InputConfig(
        path=table.source, split=table.split, errors=table.errors, null_values=table.null_values
    )
    return [
        InputFile(
            info=FileInfo(path=file.path, bytes=file.bytes),
            source_file=f"{table.source}/{base_name(file.path)}",
            input=lines,
            table=table.source,
        )
        for file in staged
    ]


def _match(files: Files, pattern: str, *, key: str) -> list[FileInfo]:
    try:
        matched = files.match(pattern)
    except OSError as error:
        raise ConfigError(
            f"{key}: expected files at {pattern!r}, got: "
            f"{' '.join(str(error).split())}. Check the path."
        ) from error
    for link in _broken_links(pattern):
        raise ConfigError(
            f"{key}: expected files, got {link}, a symbolic link whose target does not exist. "
            "Repair or delete the link."
        )
    if not matched:
        raise ConfigError(
            f"{key}: expected files that match {pattern!r}, got none. "
            "Check the path and the working directory."
        )
    return matched


def _broken_links(pattern: str) -> list[str]:
    """The links that a local glob matches and whose targets do not exist.

    Beam's listing leaves them out silently, so their rows would be missing.
    """
    named = glob.glob(pattern, recursive=True) if is_local(pattern) else []
    return sorted(path for path in named if os.path.islink(path) and not os.path.exists(path))
