"""The configuration of one input: files that match a glob, or a BigQuery table."""

import dataclasses
import hashlib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from model.config import STRICT, ConfigError, require
from pipeline.config.placeholders import DIRECTIVES, any_date, bad_formats, fill_date

Format = Literal["jsonl", "csv", "parquet", "text", "tfrecord", "semeval", "trec", "bigquery"]
Split = Literal["train", "validation", "test", "unlabeled"]
Delimiter = Annotated[
    str, Field(pattern=r"^[^\r\n]$", description="one character other than a line end")
]
SPLITS: tuple[Split, ...] = ("train", "validation", "test", "unlabeled")
# The splits whose documents a network is trained on; those of `unlabeled` need no label, and a
# label that they have is not read.
UNLABELED: Split = "unlabeled"
TRAINED: tuple[Split, ...] = ("train", UNLABELED)

# The table names that Beam's connector accepts. Some older project ids begin with a domain and
# a colon.
TABLE = r"([a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]*\.\w+\.[-\w$]+"


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputConfig:
    """One source of documents: files of one format, or a table or query of BigQuery."""

    __pydantic_config__ = STRICT

    path: str = ""
    format: Format = "jsonl"
    table: str | None = None  # bigquery
    query: str | None = None  # bigquery, instead of a table
    split: Split | None = None
    encoding: str = "utf-8"
    errors: Literal["reject", "replace"] = "reject"
    delimiter: Delimiter = ","  # csv
    quote: str | None = '"'  # csv; null: quotes are ordinary characters
    # csv: the character that escapes a quote, such as \, in files of Spark and MySQL; null: none
    escape: str | None = None
    double_quote: bool = True  # csv: two quotes within a quoted field are one quote
    strict: bool = True  # csv; false: text after a closing quote is a part of the field
    column_names: tuple[str, ...] | None = None  # csv without a header row
    null_values: tuple[str, ...] = ()  # strings that stand for no value, such as "\\N"
    document: Literal["line", "file"] = "line"  # text; file: the label is the name of its folder

    def __post_init__(self) -> None:
        for name in ("path", "table", "query"):
            wrong = bad_formats(getattr(self, name) or "")
            expected = (
                f"{{date}} with directives among {', '.join(f'%{each}' for each in DIRECTIVES)}"
            )
            require(not wrong, name, expected, wrong)
        if self.format == "bigquery":
            self._check_table()
        else:
            require(bool(self.path), "path", "a path or glob", self.path)
            for name, value in (("table", self.table), ("query", self.query)):
                require(value is None, name, f"null for format: {self.format}", value)
        require(
            self.quote is None or (len(self.quote) == 1 and self.quote != self.delimiter),
            "quote",
            "null or one character other than the delimiter",
            self.quote,
        )
        require(
            self.escape is None or _is_escape(self.escape, (self.delimiter, self.quote)),
            "escape",
            "null or one character other than the delimiter, the quote and a line end",
            self.escape,
        )
        try:
            "".encode(self.encoding)
        except LookupError:
            require(False, "encoding", "an encoding that Python knows", self.encoding)

    @property
    def location(self) -> str:
        """The path, the table or the query, as the config gives it."""
        return self.table or self.query or self.path

    @property
    def source(self) -> str:
        """The name of the input in messages and manifests, on one line.

        A query is named by its digest, because its text may have several lines.
        """
        if self.format != "bigquery":
            return self.path
        if self.table is not None:
            return f"bigquery:{self.table}"
        return f"bigquery:query:{hashlib.sha256(self.location.encode()).hexdigest()[:12]}"

    def of_date(self, date: str) -> "InputConfig":
        """The input with a date in place of its placeholders in its path, table or query.

        The path of a file that exists as it is written has no placeholders.
        """
        dated: dict[str, Any] = {
            name: fill_date(value, date)
            for name in ("path", "table", "query")
            if (value := getattr(self, name)) and not (name == "path" and os.path.lexists(value))
        }
        return dataclasses.replace(self, **dated)

    def _check_table(self) -> None:
        require(
            not self.path, "path", "no path, but table or query, for format: bigquery", self.path
        )
        given = [name for name in ("table", "query") if getattr(self, name) is not None]
        require(len(given) == 1, "table", "either table or query for format: bigquery", given)
        if self.table is not None:
            # `{date}` will be replaced by digits and '-', which the name of a table may contain.
            valid = re.fullmatch(TABLE, any_date(self.table, other="0")) is not None
            require(valid, "table", "project.dataset.table", self.table)
        else:
            require(bool(self.location.strip()), "query", "a SELECT statement", self.query)
        utf8 = self.encoding == "utf-8"
        require(
            utf8, "encoding", "utf-8 for format: bigquery, whose text is Unicode", self.encoding
        )


def _is_escape(escape: str, taken: tuple[str | None, ...]) -> bool:
    return len(escape) == 1 and escape not in (*taken, "\r", "\n")


_FORMATS: dict[str, Format] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
    "txt": "text",
    "tfrecord": "tfrecord",
}


def format_of(name: str) -> Format | None:
    """The format of a file by the ending of its name, before that of a compression.

    None if no format has this ending.
    """
    _, dot, suffix = _without_compression(name).rpartition(".")
    return _FORMATS.get(suffix) if dot else None


def infer_format(path: str) -> Format:
    """The format of a file by the ending of its name, as `format_of` gives it.

    Raises:
        ConfigError: if no format has this ending.
    """
    found = format_of(path)
    if found is None:
        raise ConfigError(
            f"--input {path}: expected a name ending in {', '.join(_FORMATS)} (.gz, .bz2, .zst "
            "allowed), got another ending. Name the format in a --config file."
        )
    return found


def with_format(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an input; a format that they leave out follows from the endings in the path.

    JSON lines in a `.txt` file were always read without a format: such files are no text unless
    the format says so.
    """
    path = values.get("path")
    if "format" in values or not isinstance(path, str):
        return dict(values)
    for name in reversed(path.split("/")):  # the parts of `all.csv/` need no ending of their own
        found = format_of(name)
        if found is not None and found != "text":
            tabs = {"delimiter": "\t"} if is_tsv(name) else {}
            return {**tabs, **values, "format": found}
    return dict(values)


def is_tsv(path: str) -> bool:
    """Whether the file name ends in `.tsv`, with or without a compression ending after it."""
    return _without_compression(path).endswith(".tsv")


def _without_compression(name: str) -> str:
    """The name in lower case, without the ending of a compression."""
    return re.sub(r"\.(gz|gzip|bz2|zst|zstd)$", "", name.lower())
