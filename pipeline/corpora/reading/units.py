"""Units of work: the files of a corpus, divided and grouped for workers.

A unit is what one worker reads in one go: parts of about `UNIT_BYTES` of large
files, or many small files together. A plan depends on the files alone, and on
whether there are workers to share them: a unit's rows are always read in the
same order, and rows are numbered by file.
"""

import dataclasses
import glob
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.parts import FilePart, split_file
from pipeline.corpora.reading.streams import compression_of
from pipeline.storage.files import FileInfo, Files, base_name
from pipeline.storage.folders import is_local
from pipeline.storage.staging import StagedFile

UNIT_BYTES = 16 << 20
_COMPRESSED = 4  # about how many bytes one of a compressed file becomes


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file of the corpus: where it lies, and what rows and reports call it.

    Attributes:
        info: path and size.
        source_file: what rows call it.
        input: how it is read.
        table: whose rows it holds, if those of a table, by `InputConfig.source`.
    """

    info: FileInfo
    source_file: str
    input: InputConfig
    table: str | None = None

    @property
    def name(self) -> str:
        """What manifests and messages call it: a table by its name, a file by its path."""
        return self.table or self.info.path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unit:
    """What one worker reads in one go; `index` orders the units of a corpus."""

    index: int
    parts: tuple[FilePart, ...]


def find_input_files(files: Files, corpus: CorpusConfig) -> list[InputFile]:
    """Lists the files of a corpus, input by input, each sorted by path; not its tables.

    Raises:
        ConfigError: if there is no input, or one that matches no file or a link to nothing.
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
        try:
            matched = files.match(input_config.path)
        except OSError as error:
            raise ConfigError(
                f"corpus.inputs.{position}.path: expected files at {input_config.path!r}, got: "
                f"{' '.join(str(error).split())}. Check the path."
            ) from error
        for link in _dead_links(input_config.path):
            raise ConfigError(
                f"corpus.inputs.{position}.path: expected files, got {link}, a link to nothing. "
                "Mend or delete it."
            )
        if not matched:
            raise ConfigError(
                f"corpus.inputs.{position}.path: expected files that match "
                f"{input_config.path!r}, got none. Check the path and the working directory."
            )
        seen = {info.path for info, _ in found}
        twice = [info.path for info in matched if info.path in seen]
        if twice:
            raise ConfigError(
                f"corpus.inputs.{position}.path: expected files that no earlier input matches, "
                f"got {twice[0]}. Narrow one of the globs."
            )
        found += [(info, input_config) for info in matched]
    names = _distinct_names([info.path for info, _ in found])
    return [
        InputFile(info=info, source_file=names[info.path], input=input_config)
        for info, input_config in found
    ]


def _dead_links(pattern: str) -> list[str]:
    """What a local glob names and Beam's listing leaves out in silence, though rows are missing."""
    named = glob.glob(pattern, recursive=True) if is_local(pattern) else []
    return sorted(path for path in named if os.path.islink(path) and not os.path.exists(path))


def table_files(table: InputConfig, staged: Sequence[StagedFile]) -> list[InputFile]:
    """The files of JSON lines that a table was read into; together they are one input."""
    lines = InputConfig(path=table.source, split=table.split, errors=table.errors)
    return [
        InputFile(
            info=FileInfo(path=file.path, bytes=file.bytes),
            source_file=f"{table.source}/{base_name(file.path)}",
            input=lines,
            table=table.source,
        )
        for file in staged
    ]


def plan_parts(
    files: Files, inputs: Iterable[InputFile], *, part_bytes: int = UNIT_BYTES
) -> list[FilePart]:
    """Divides the files that can be divided; `first_row` of line parts is still 0."""
    parts: list[FilePart] = []
    for item in inputs:
        whole = whole_file(item)
        if item.input.format == "parquet":
            with files.open(item.info.path) as stream:
                parts += split_file(
                    whole, size=item.info.bytes, part_bytes=part_bytes, stream=stream
                )
        else:
            parts += split_file(whole, size=item.info.bytes, part_bytes=part_bytes)
    return parts


def limited_parts(inputs: Iterable[InputFile], *, limit: int) -> list[FilePart]:
    """The first rows of files, at most `limit` of each input, shared evenly among its files.

    Of more files than `limit`, some that lie evenly apart give one row each.
    """
    parts: list[FilePart] = []
    for _, group in groupby(inputs, key=_input):
        items = list(group)
        for index, item in enumerate(items):
            share = (index + 1) * limit // len(items) - index * limit // len(items)
            if share:
                parts.append(dataclasses.replace(whole_file(item), limit=share))
    return parts


def whole_file(item: InputFile) -> FilePart:
    """A file as one part."""
    return FilePart(path=item.info.path, source_file=item.source_file, input=item.input)


def divided_line_parts(parts: Sequence[FilePart]) -> list[FilePart]:
    """The parts whose rows must be counted before their files' rows have numbers."""
    per_file = Counter(part.path for part in parts)
    return [part for part in parts if per_file[part.path] > 1 and part.input.format != "parquet"]


def number_rows(parts: Sequence[FilePart], counts: Mapping[tuple[str, int], int]) -> list[FilePart]:
    """Sets `first_row` of divided line files from the rows of the parts before.

    Args:
        parts: in file order.
        counts: rows of each part from `divided_line_parts`, by `(path, start)`.
    """
    rows_before: dict[str, int] = defaultdict(int)
    numbered = []
    for part in parts:
        rows = counts.get((part.path, part.start))
        if rows is not None:
            part = dataclasses.replace(part, first_row=rows_before[part.path])
            rows_before[part.path] += rows
        numbered.append(part)
    return numbered


def group_units(
    parts: Iterable[FilePart], sizes: Mapping[str, int], *, unit_bytes: int = UNIT_BYTES
) -> list[Unit]:
    """Groups neighboring parts into units of at least `unit_bytes`.

    Args:
        parts: in corpus order.
        sizes: bytes of each file, by path.
        unit_bytes: a unit is closed when it reaches this size.
    """
    groups: list[list[FilePart]] = [[]]
    filled = 0
    for part in parts:
        if filled >= unit_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(part)
        # A Parquet range counts row groups, not bytes; its part is large enough by itself.
        in_bytes = part.end is not None and part.input.format != "parquet"
        ratio = _COMPRESSED if compression_of(part.path) else 1
        filled += (part.end or 0) - part.start if in_bytes else ratio * sizes[part.path]
    return [Unit(index=index, parts=tuple(group)) for index, group in enumerate(groups) if group]


def _input(item: InputFile) -> InputConfig:
    return item.input


def _distinct_names(paths: Sequence[str]) -> dict[str, str]:
    """File names, or where two files share one, paths below the common folder."""
    names = {path: base_name(path) for path in paths}
    if len(set(names.values())) == len(names):
        return names
    # By hand: `os.path.commonpath` takes `gs://bucket` for `gs:/bucket`, and raises where
    # only some of the paths are absolute.
    parts = {path: path.split("/") for path in paths}
    common = 0
    while len({tuple(each[: common + 1]) for each in parts.values()}) == 1:
        common += 1
    return {path: "/".join(each[common:]) for path, each in parts.items()}
