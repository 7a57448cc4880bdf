"""Sees the headers of Parquet's pages while Arrow reads them, and stops it before it is too late.

Arrow makes room for as many bytes as a header claims: up to 2 GB, of which the file may hold a few
kilobytes or none. It reads the pages of a column one after another, so their headers go through the
stream that it is given, and no byte is read twice.
"""

import dataclasses
import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import BinaryIO

from typing_extensions import override

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.page_header import PageHeader, read_page_header

# Writers close a page at 1 MB, DuckDB at 100 MB, but PyArrow looks at its size every 1,024 rows:
# pages of long documents are larger. Those must be as large in the file as text is.
PAGE_BYTES = 128 << 20
_UNFOLDED_A_BYTE = 64
# Arrow may hold so much for the rows that it makes at once.
ROWS_BYTES = 128 << 20
_HEADER_BYTES = 16 << 20  # Arrow's own limit; a header may hold the smallest and the largest value
_MOST_HEADERS_BYTES = 1_000
_PADDING_BYTES = 128  # that the sizes of columns in very old files lack
_MOST_VALUES, _VALUES_A_ROW = 16 << 20, 1_000  # of a column of lists


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColumnChunk:
    """The pages of one column in a row group.

    Attributes:
        name: the path of the column.
        start, end: where its pages lie in the file.
        values: how many it has, by the footer; what lies behind them is not read.
        rows: of the row group.
        is_list: whether a row may have any number of values.
    """

    name: str
    start: int
    end: int
    values: int
    rows: int
    is_list: bool


class SmallerBatchesError(Exception):
    """Fewer rows must be made at once.

    Attributes:
        rows: how many.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


class WatchedPages(io.RawIOBase):
    """A file whose pages are watched while it is read.

    `read` raises a BrokenFileError for a page that must not be made, and a SmallerBatchesError.
    """

    def __init__(self, stream: BinaryIO, *, row_bytes: int) -> None:
        """Watches a stream; no cell of more than `row_bytes` can be used."""
        self._stream = stream
        self._row_bytes = row_bytes
        self._find: Callable[[], Sequence[ColumnChunk]] | None = None
        self._watched: list[_WatchedChunk] = []
        self._starts: list[int] = []
        self._rows = 1

    def watch(self, find: Callable[[], Sequence[ColumnChunk]], *, rows: int) -> None:
        """From now on, only the pages of these chunks are read, so many rows at a time.

        `find` is called at the first read: Arrow has then checked the metadata of the columns. To
        ask it for damaged ones before ends the process.
        """
        self._find, self._rows = find, rows

    @override
    def read(self, size: int = -1, /) -> bytes:
        if self._find is not None:
            self._begin(self._find())
            self._find = None
        at = self._stream.tell()
        data = self._stream.read(size)
        index = bisect_right(self._starts, at) - 1
        if index >= 0:
            for header in self._watched[index].headers(at, data):
                self._require_small(self._watched[index].chunk, header)
        return data

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    @override
    def tell(self) -> int:
        return self._stream.tell()

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    def _begin(self, chunks: Sequence[ColumnChunk]) -> None:
        self._watched = [_WatchedChunk(chunk) for chunk in sorted(chunks, key=_start)]
        self._starts = [each.chunk.start for each in self._watched]
        for each, following in zip(self._watched, self._watched[1:], strict=False):
            if each.chunk.end > following.chunk.start:
                raise BrokenFileError(
                    f"expected columns one after another, got {each.chunk.name!r} and "
                    f"{following.chunk.name!r} in the same bytes; the rest cannot be read"
                )

    def _require_small(self, chunk: ColumnChunk, header: PageHeader) -> None:
        least = max(PAGE_BYTES, _UNFOLDED_A_BYTE * header.stored)
        cells = max(PAGE_BYTES, self._row_bytes * header.values)
        if header.unfolded > min(least, cells):
            raise BrokenFileError(
                f"expected a page of at most {min(least, cells):,} bytes in column {chunk.name!r}, "
                f"got one of {header.unfolded:,} bytes and {header.values:,} values from "
                f"{header.stored:,} bytes; the rest of the file was not read"
            )
        if chunk.is_list and header.values > _MOST_VALUES + _VALUES_A_ROW * chunk.rows:
            raise BrokenFileError(
                f"expected lists in column {chunk.name!r}, got {header.values:,} values for "
                f"{chunk.rows:,} rows; the rest of the file was not read"
            )
        if header.repeats_values and self._rows > 1 and header.unfolded * self._rows > ROWS_BYTES:
            raise SmallerBatchesError(max(1, min(self._rows // 2, ROWS_BYTES // header.unfolded)))


class _WatchedChunk:
    """Finds the headers of a chunk in the bytes that are read of it."""

    def __init__(self, chunk: ColumnChunk) -> None:
        self.chunk = chunk
        self._read_to = self._next = chunk.start
        self._pending = b""  # the begin of a header at `_next`
        self._values = 0

    def headers(self, at: int, data: bytes) -> "list[PageHeader]":
        """The headers that are complete with these bytes, which begin at `at` of the file.

        Raises:
            BrokenFileError: if there is no header where there must be one, or the page does not
                end where the chunk does.
        """
        if at == self.chunk.start:
            self._read_to = self._next = at
            self._pending, self._values = b"", 0
        if at != self._read_to:  # not the pages of this column
            return []
        self._read_to += len(data)
        found: list[PageHeader] = []
        while self._values < self.chunk.values and self._next < min(self._read_to, self.chunk.end):
            begin = max(0, self._next - at)
            header = self._header(self._pending + data[begin : begin + _MOST_HEADERS_BYTES])
            if header is None:
                self._pending += data[begin:]
                header = self._header(self._pending)
            if header is None:
                break
            self._pending = b""
            self._next += header.size + header.stored
            if self._next > self.chunk.end + _PADDING_BYTES:
                raise _damage(f"a page of {header.stored:,} bytes that ends behind its column")
            self._values += 0 if header.is_dictionary else header.values
            found.append(header)
        return found

    def _header(self, data: bytes) -> PageHeader | None:
        try:
            header = read_page_header(data)
        except ValueError as error:
            raise _damage(str(error)) from error
        if header is None and len(data) > _HEADER_BYTES:
            raise _damage("a header of a page that does not end")
        return header


def _damage(found: str) -> BrokenFileError:
    return BrokenFileError(
        f"expected Parquet, got damaged data ({found}); the rest of the file cannot be read"
    )


def _start(chunk: ColumnChunk) -> int:
    return chunk.start
