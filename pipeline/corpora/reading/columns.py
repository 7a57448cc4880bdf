"""The input columns that a config names, and the check that a file has the required ones."""

from collections.abc import Sequence

import pyarrow as pa

from model.config import ConfigError
from pipeline.config.sections import ColumnsConfig


def input_columns(columns: ColumnsConfig) -> tuple[str, ...]:
    """The names of all input columns that are read, each once."""
    names = [
        columns.text,
        columns.id,
        columns.label,
        columns.labels,
        columns.probabilities,
        columns.weight,
        columns.rationale,
        columns.split,
        columns.group,
        *columns.keep,
    ]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def kept_fields(columns: ColumnsConfig) -> list[pa.Field]:
    """The fields of the kept input columns.

    All are strings, so that every file gives the same schema. A value that is not a string is
    written as JSON (12, true, ["a"]). If JSON has no type for it (a date, for example), it is
    written as `str` returns it.
    """
    return [pa.field(name, pa.string()) for name in columns.keep]


def require_columns(path: str, columns: ColumnsConfig, present: Sequence[str]) -> None:
    """Checks that a file has the columns that every document needs: text, id, kept columns.

    Only training needs the other columns. A file to be scored may lack them; their fields
    are null then.

    Args:
        path: the file, for messages.
        columns: the columns that the config names.
        present: the columns that the file has.

    Raises:
        ConfigError: if the file lacks such a column, or has an input column more than once.
    """
    for name in (columns.text, columns.id, *columns.keep):
        if name is not None and name not in present:
            names = ", ".join(map(repr, present)) or "none"
            raise ConfigError(
                f"{path}: expected a column {name!r}, got {names}. "
                "Name the right one under corpus.columns."
            )
    for name in input_columns(columns):
        if present.count(name) > 1:
            raise ConfigError(
                f"{path}: expected one column {name!r}, got {present.count(name)}. "
                "Rename all but one."
            )
