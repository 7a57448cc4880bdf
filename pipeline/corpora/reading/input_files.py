"""The files of a corpus: those that match the globs of the config, or were staged from a table."""

import dataclasses
import functools
import logging
import os
import re
from collections.abc import Sequence

from model.config import ConfigError
from pipeline.config.inputs import InputConfig, format_of
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.source_names import source_names
from pipeline.storage.files import FileInfo, Files, base_name
from pipeline.storage.folders import is_local
from pipeline.storage.matching import (
    Matched,
    UnusableFileError,
    file_identity,
    match_files,
    shown_path,
)
from pipeline.storage.patterns import WILDCARDS, below
from pipeline.storage.staging import StagedFile

logger = logging.getLogger("limelight")

LEFT_OUT_SHOWN = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file of the corpus.

    Attributes:
        info: the path and the size.
        source_file: the name of the file in rows and in generated document ids.
        input: the config of the input that it belongs to.
        table: the `InputConfig.source` of the BigQuery table that the file was staged from; None
            for any other file.
        rows: how many rows were staged, and must be read; None where nothing knows it.
    """

    info: FileInfo
    source_file: str
    input: InputConfig
    table: str | None = None
    rows: int | None = None

    @property
    def name(self) -> str:
        """The name in manifests and messages: the table's name, or the path of the file."""
        return self.table or self.info.path


def find_input_files(files: Files, corpus: CorpusConfig) -> list[InputFile]:
    """Lists the files of a corpus, input by input; those of one input are sorted by path.

    BigQuery tables are left out. What a pattern matches that is no data is named in the log.

    Raises:
        ConfigError: if the corpus has no input, or if an input matches no file, a file that an
            earlier input matches (also where it is spelled differently, or a link to it), or
            something that is no file, such as a pipe.
    """
    if not corpus.inputs:
        raise ConfigError(
            "corpus.inputs: expected at least one input, got none. "
            "Add inputs: [{path: ..., format: jsonl}] to the config."
        )
    found: list[tuple[InputConfig, Matched]] = []
    earlier = _EarlierInputs()
    for position, input_config in enumerate(corpus.inputs):
        if input_config.format == "bigquery":
            continue
        key = f"corpus.inputs.{position}.path"
        matched = match_input(files, input_config.path, key=key)
        _say_left_out(input_config.path, matched.folder, tuple(matched.left_out))
        earlier.add_files(position, [info.path for info in matched.files])
        found.append((input_config, matched))
    names = source_names(
        [(matched.folder, [info.path for info in matched.files]) for _, matched in found]
    )
    return [
        InputFile(info=info, source_file=names[info.path], input=input_config)
        for input_config, matched in found
        for info in matched.files
    ]


class _EarlierInputs:
    """Which files the inputs so far have: the rows of one must not be read twice."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, str]] = {}
        self._folders: dict[str, str] = {}

    def add_files(self, position: int, paths: Sequence[str]) -> None:
        """Adds the files of an input, or raises `ConfigError`, which names both spellings."""
        for path in paths:
            identity = file_identity(path, self._folders)
            first, spelled = self._files.setdefault(identity, (position, path))
            if first != position:
                of_first = f"{spelled} of corpus.inputs.{first}"
                if path == spelled:
                    of_first = f"one of corpus.inputs.{first}"
                raise ConfigError(
                    f"corpus.inputs.{position}.path: expected files that no earlier input "
                    f"matches, got {path}, which is {of_first}. Leave one of them out, "
                    "or narrow a pattern."
                )


def match_input(files: Files, pattern: str, *, key: str) -> Matched:
    """The files that the path of an input means; `key` says in messages where the path is given.

    Raises:
        ConfigError: if there is no file, or something that is no file.
    """
    try:
        matched = match_files(files, pattern, is_data=_is_data)
    except UnusableFileError as error:
        raise ConfigError(f"{key}: expected files, got {error}.") from error
    except OSError as error:
        raise ConfigError(
            f"{key}: expected files at {pattern!r}, got: "
            f"{' '.join(str(error).split())}. Check the path."
        ) from error
    if not matched.files:
        raise ConfigError(
            f"{key}: expected files that match {pattern!r}, got none. {_advice(pattern, matched)}"
        )
    return matched


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
            rows=file.rows,
        )
        for file in staged
    ]


def _is_data(name: str) -> bool:
    return format_of(name) is not None


def _advice(pattern: str, matched: Matched) -> str:
    """What to do about a pattern that matches no file."""
    placeholders = re.findall(r"\{[^{}/]*\}", pattern)
    if any(each.startswith("{date") for each in placeholders):
        return "{date} has a value in limelight score alone: give its --date."
    if placeholders:
        return f"{placeholders[0]} is no placeholder; {{date}} and {{date:%Y/%m/%d}} are."
    if matched.left_out:
        example = matched.left_out[0]
        name = f"{example}*" if example.endswith("/") else example
        return f"{example} was left out; write its name, such as {name}, if it is meant."
    advice = "Check the path and the working directory."
    if "[" in pattern and WILDCARDS.isdisjoint(pattern.replace("[", "")):
        return f"{advice} [ is a wildcard; write [[] for the character."
    return advice


@functools.cache  # a run lists its files more than once
def _say_left_out(pattern: str, folder: str, left_out: tuple[str, ...]) -> None:
    if not left_out:
        return
    pattern = shown_path(pattern)
    links = any(is_local(path) and os.path.islink(path.rstrip("/")) for path in left_out)
    names = [_on_one_line(shown_path(below(folder, path))) for path in left_out]
    # Folders first: they may hold data, while hidden names are a program's own.
    names.sort(key=lambda name: (base_name(name).startswith((".", "_")), name))
    shown, more = ", ".join(names[:LEFT_OUT_SHOWN]), len(names) - LEFT_OUT_SHOWN
    logger.info(
        "%s: left out %d that match but are no data%s: %s%s",
        pattern, len(names), ", or are links to what is read" * links,
        shown, f" and {more} more" * (more > 0),
    )  # fmt: skip


def _on_one_line(name: str) -> str:
    r"""The name with escapes in place of what moves the cursor, such as `Icon\r` of macOS."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)
