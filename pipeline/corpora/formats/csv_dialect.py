"""How a CSV file is written: delimiter, quote, escape."""

import csv
import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.csv_lines import RETURN

_DELIMITERS = ",;\t|"  # that files have most


class CsvDialect:
    """Makes parsers for one input.

    Attributes:
        quote: the quote character; None: quotes are ordinary characters.
        escape: the character that takes the meaning from the quote, the delimiter, a line end or
            itself after it; before any other character it is an ordinary one. None: there is none.
    """

    def __init__(self, config: InputConfig) -> None:
        # Python's limit for a field is one setting of the whole process, so it is set to its
        # maximum. The limit of `CsvRecords` applies to a row.
        csv.field_size_limit(2**31 - 1)
        self.quote = config.quote
        self.escape = config.escape
        self._delimiter = config.delimiter
        self._settings: dict[str, Any] = {
            "delimiter": config.delimiter,
            "quotechar": config.quote,
            "escapechar": config.escape,
            # Without this, `csv` is not strict about text after a closing quote.
            "doublequote": config.double_quote or config.strict,
            "strict": config.strict,
            "quoting": csv.QUOTE_NONE if config.quote is None else csv.QUOTE_MINIMAL,
        }
        self._doubled: re.Pattern[str] | None = None
        if config.strict and not config.double_quote and config.quote is not None:
            quote, delimiter = re.escape(config.quote), re.escape(config.delimiter)
            escape = re.escape(config.escape or "")
            # Quotes that stand alone or are an empty field, pairs of an escape and what it escapes,
            # other characters.
            empty = rf"(?:(?<={delimiter})|^){quote}{quote}(?={delimiter}|[\r\n]|$)"
            pair = rf"{escape}." if escape else "(?!)"
            other = rf"{pair}|{empty}|{quote}(?!{quote})|[^{quote}{escape}]"
            self._doubled = re.compile(rf"(?:{other})*", re.DOTALL)
        if config.escape is not None:
            self._pair = re.compile(re.escape(config.escape) + "(.?)", re.DOTALL)
            self._special = {config.escape, config.delimiter, config.quote, "\r", "\n", RETURN, ""}

    def with_backslash(self, config: InputConfig) -> "CsvDialect | None":
        r"""The dialect in which `\` escapes quotes, too; None if there is an escape already.

        Args:
            config: the same as this dialect has.
        """
        if self.quote is None or self.escape is not None or "\\" in (self.quote, self._delimiter):
            return None
        return CsvDialect(dataclasses.replace(config, escape="\\"))

    def reader(self, lines: Iterable[str]) -> Any:
        """A parser of lines with their line ends: an iterator over records, with `line_num`."""
        if self._doubled is not None:
            lines = map(self._refuse_doubled, lines)
        if self.escape is not None:
            lines = map(self._keep_other_escapes, lines)
        return csv.reader(lines, **self._settings)

    def count_fields(self, line: str) -> int:
        """How many fields a line has if its quotes mean nothing."""
        return line.count(self._delimiter) + 1

    def first_field(self, line: str) -> str:
        """The first field of a line if its quotes mean nothing."""
        return line.partition(self._delimiter)[0]

    def is_open_after(self, line: str) -> bool:
        """Whether a quote seems to be open at the end of a line that begins a row."""
        if self.quote is None:
            return False
        if self.escape is not None:
            line = self._pair.sub("", line)
        return line.count(self.quote) % 2 == 1

    def ends_escaped(self, line: str) -> bool:
        """Whether the line end after the line is escaped."""
        if self.escape is None:
            return False
        text = line.rstrip("\r\n")
        return (len(text) - len(text.rstrip(self.escape))) % 2 == 1

    def text_after_quote(self) -> str:
        """What is wrong with a quoted field that goes on after its closing quote."""
        return f"expected {self._delimiter!r} or a line end after a closing quote, got other text"

    def hint(self, line: str) -> str:
        """What to change in the config for a row that failed; empty if nothing suggests itself."""
        if self.quote is None or self.escape is not None or f"\\{self.quote}" not in line:
            return ""
        return f"; if \\ escapes {self.quote} in this file, set escape: '\\' for its input"

    def hint_of_header(self, line: str, names: Sequence[str], wanted: Sequence[str]) -> str:
        """What to change if the first line lacks a column; empty if nothing suggests itself.

        Args:
            line: the first line.
            names: its fields.
            wanted: the columns that the config names.
        """
        if line.lstrip("\ufeff ").startswith("{"):
            return " If its lines are JSON objects, set format: jsonl for its input."
        for delimiter in _DELIMITERS.replace(self._delimiter, ""):
            fields = [field.strip(" \"'\r\n\ufeff") for field in line.split(delimiter)]
            more = {*wanted}.intersection(fields).difference(names)
            if len(fields) > len(names) and more:
                said = json.dumps(delimiter)
                return f" If {said} divides its fields, set delimiter: {said} for its input."
        if {*wanted}.isdisjoint(names):
            return " If its first line is a row, set column_names for its input."
        return ""

    def _refuse_doubled(self, line: str) -> str:
        if self._doubled is not None and self._doubled.fullmatch(line) is None:
            raise csv.Error("two quotes within a field")
        return line

    def _keep_other_escapes(self, line: str) -> str:
        r"""Doubles an escape before an ordinary character; `csv` would make `\t` a `t`."""
        if self.escape is None or self.escape not in line:
            return line
        return self._pair.sub(self._double, line)

    def _double(self, match: re.Match[str]) -> str:
        return match[0] if match[1] in self._special else f"{self.escape}{match[0]}"
