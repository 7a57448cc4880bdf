"""Raw rows: the values that a format module reads from a file, before they are checked."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import input_columns
from pipeline.corpora.reading.failures import Failure, describe


@dataclasses.dataclass(frozen=True, kw_only=True)
class RawRows:
    """Consecutive rows of a file as its format module read them, not yet checked.

    Attributes:
        size: the number of rows.
        columns: the values of each input column, one for each row. A column that is not here
            is null in every row.
        raw: returns the bytes of the row with a given index, or at least the first of them.
        failures: why the format module could not parse a row, by the index of the row. The
            values of such a row are ignored.
        repaired: the indexes of the rows that hold U+FFFD in place of something that could not
            be decoded.
        absent: the indexes of the rows that lack a column, by column, where rows differ.
        untyped: whether the format has no types, so that every value is text, as in CSV.
        headers_skipped: how many lines among the rows repeat the header; they are no rows.
    """

    size: int
    columns: Mapping[str, Sequence[Any]]
    raw: Callable[[int], bytes]
    failures: Mapping[int, Failure] = dataclasses.field(default_factory=dict)
    repaired: frozenset[int] = frozenset()
    absent: Mapping[str, frozenset[int]] = dataclasses.field(default_factory=dict)
    untyped: bool = False
    headers_skipped: int = 0

    def head(self, size: int) -> Self:
        """The first `size` rows."""
        return dataclasses.replace(
            self,
            size=min(size, self.size),
            columns={name: values[:size] for name, values in self.columns.items()},
            failures={index: each for index, each in self.failures.items() if index < size},
            repaired=frozenset(index for index in self.repaired if index < size),
            absent={
                name: frozenset(index for index in rows if index < size)
                for name, rows in self.absent.items()
            },
        )


def without_text(columns: ColumnsConfig, present: list[str]) -> Failure:
    """The failure of a row that has the columns `present`, which lack that of the text."""
    return Failure("missing_column", f"expected a column {columns.text!r}, got {describe(present)}")


def mapping_rows(
    values: Sequence[Mapping[str, Any]],
    *,
    columns: ColumnsConfig,
    raw: Callable[[int], bytes],
    failures: Mapping[int, Failure] | None = None,
    repaired: frozenset[int] = frozenset(),
) -> RawRows:
    """Raw rows from mappings with different keys: JSON objects or `tf.train.Example`s.

    A row without the key of the text fails as `missing_column`; for any other missing key the
    value is null.

    Args:
        values: one mapping for each row; the mapping of a failed row is ignored.
        columns: the keys that are read.
        raw: see `RawRows`.
        failures: see `RawRows`.
        repaired: see `RawRows`.
    """
    failures = dict(failures or {})
    for index, value in enumerate(values):
        if columns.text not in value and index not in failures:
            failures[index] = without_text(columns, list(value))
    read = {name: [value.get(name) for value in values] for name in input_columns(columns)}
    return RawRows(
        size=len(values),
        columns=read,
        absent={
            name: frozenset(index for index, value in enumerate(values) if name not in value)
            for name, column in read.items()
            if None in column
        },
        raw=raw,
        failures=failures,
        repaired=repaired,
    )
