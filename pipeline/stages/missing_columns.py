"""Columns that the config names and no row has: said as early as possible, with those found."""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from model.config import ConfigError
from pipeline.config.inputs import UNLABELED
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.check_rows import ReadBatch
from pipeline.corpora.reading.columns import (
    MissingColumnError,
    columns_of_no_row,
    corpus_to_prepare,
)
from pipeline.corpora.reading.input_files import InputFile, find_input_files
from pipeline.corpora.reading.parts import open_part, whole_file
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.process.printable import shortened
from pipeline.storage.files import Files

FILES_READ = 3
ROWS_READ = 200  # of each file
COLUMNS_SHOWN = 12

# What a run does without the column of a field; another field has no value then.
_DEFAULTS = {
    "id": "ids are then the name of the file and the number of the row",
    "split": "splits are then drawn by the text, with the shares of corpus.splits",
}

# A column that no row has, so that the rows become rejections, which hold their bytes.
_NOWHERE = "\x00"
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


def find_missing_labels(corpus: CorpusConfig, *, files: Files) -> str | None:
    """A sentence if the first rows of a corpus have no label, with the columns that they have.

    Raises:
        ConfigError: if a file has no such column as the config requires.
    """
    columns = corpus.columns
    inputs = [
        item
        for item in find_input_files(files, corpus)
        if item.input.split != UNLABELED and item.input.format not in ("semeval", "trec")
    ][:FILES_READ]
    named = [
        name for name in (columns.label, columns.labels, columns.probabilities) if name is not None
    ]
    if not inputs or any(_has_labels(item, corpus, files=files) for item in inputs):
        return None
    found = _list_columns(inputs, corpus, files)
    if not named:
        return (
            f"corpus.columns.label: expected the column of the labels, got null{found}. Name it, "
            "or set corpus.columns.labels or corpus.columns.probabilities."
        )
    return (
        f"{inputs[0].info.path}: expected labels in the column {' or '.join(map(repr, named))}, "
        f"got none in the first rows{found}. Check corpus.columns.label."
    )


def require_named_columns(
    counts: Mapping[str, Any],
    inputs: Sequence[InputFile],
    corpus: CorpusConfig,
    *,
    files: Files,
    where: str = "",
) -> None:
    """Checks that some document has the column of the id, and of the split, if they are named.

    Without them, the ids would be those of rows, and the splits would be drawn.

    Args:
        counts: of the documents that were read; see `columns_of_no_row`.
        inputs: the files of the corpus.
        corpus: names the columns.
        files: where the inputs lie.
        where: which part of the corpus was counted, for the message; none: all of it.

    Raises:
        ConfigError: if no document has one of them.
    """
    for field, name, documents in columns_of_no_row(counts):
        if field in _DEFAULTS:
            found = _list_columns(inputs[:FILES_READ], corpus, files)
            raise ConfigError(
                f"corpus.columns.{field}: expected the column {name!r} in {inputs[0].name}, got "
                f"none in {where}{documents:,} documents{found}. Name the right one, or set "
                f"corpus.columns.{field}=null: {_DEFAULTS[field]}."
            )


def _list_columns(inputs: Sequence[InputFile], corpus: CorpusConfig, files: Files) -> str:
    """The columns of the first rows, for a message; empty if none is found."""
    found = list(
        dict.fromkeys(name for item in inputs for name in _columns_of(item, corpus, files))
    )
    shown = ", ".join(map(shortened, found[:COLUMNS_SHOWN])) + (
        ", .." if len(found) > COLUMNS_SHOWN else ""
    )
    return f" (columns found: {shown})" if shown else ""


def _has_labels(item: InputFile, corpus: CorpusConfig, *, files: Files) -> bool:
    """Whether one of the first rows has a label; also if none of them is a document."""
    read = 0
    for batch in _first_batches(item, corpus_to_prepare(corpus), files=files):
        documents = batch.documents
        read += documents.num_rows
        for name in ("label", "labels", "soft_labels"):
            column = documents.column(name) if name in documents.schema.names else None
            if column is not None and column.null_count < len(column):
                return True
    return not read


def _columns_of(item: InputFile, corpus: CorpusConfig, files: Files) -> Iterator[str]:
    """The columns of the first row of a file: its reader is asked for one that no file has."""
    nowhere = dataclasses.replace(corpus, columns=ColumnsConfig(text=_NOWHERE, label=None))
    try:
        for batch in _first_batches(item, nowhere, files=files):
            if item.input.format == "jsonl" and batch.rejections.num_rows:
                yield from _keys_of(batch.rejections.column("raw")[0].as_py())
    except MissingColumnError as error:  # CSV and Parquet
        yield from error.found


def _keys_of(raw: bytes) -> Iterator[str]:
    """The keys of a JSON object; of one that was cut, those that can be found."""
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        yield from (key.decode(errors="replace") for key in _KEY.findall(raw))
    else:
        yield from row if isinstance(row, dict) else ()


def _first_batches(item: InputFile, corpus: CorpusConfig, *, files: Files) -> Iterator[ReadBatch]:
    try:
        with open_part(files, whole_file(item)) as stream:
            batches = read_part(stream, whole_file(item), corpus=corpus, batch_rows=ROWS_READ)
            yield from islice(batches, 1)
    except (BrokenFileError, OSError):
        return
