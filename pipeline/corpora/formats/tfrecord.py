"""TFRecord files of `tf.train.Example` -> raw rows."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import input_columns
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError, too_large
from pipeline.corpora.reading.numerals.digits import shortest_float
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows, mapping_rows, without_text
from pipeline.corpora.reading.streams import batches, stored_chunks
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.record_framing import CHECKSUM, LENGTH, masked_checksum
from pipeline.schemas import RAW_BYTES


class _Record(NamedTuple):
    data: bytes
    failure: Failure | None = None


def read_tfrecord(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the examples of a file.

    Only the features in use are decoded. A feature with one value gives that value; a feature with
    several values gives a list. Bytes are decoded with the encoding of the input. A record that is
    damaged or has more than `limit` bytes fails, and reading goes on. After a damaged length the
    next record cannot be found.

    Raises:
        BrokenFileError: if a length is damaged or the file ends within a record.
    """
    records = _records(_Chunks(stored_chunks(stream, part)), limit=limit)
    for batch in batches(records, batch_rows=batch_rows, size=_record_bytes):
        yield _parse_records(batch, part, columns=columns)


class _Chunks:
    """Reads any number of bytes at a time from chunks of any size."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end."""
        taken = self._chunk[self._position : self._position + size]
        self._position += len(taken)
        if len(taken) == size:
            return taken
        pieces = [taken]
        missing = size - len(taken)
        for chunk in self._chunks:
            pieces.append(chunk[:missing])
            self._chunk, self._position = chunk, len(pieces[-1])
            missing -= len(pieces[-1])
            if not missing:
                break
        return b"".join(pieces)


def _records(chunks: _Chunks, *, limit: int) -> Iterator[_Record]:
    while header := chunks.take(LENGTH.size + CHECKSUM.size):
        if len(header) < LENGTH.size + CHECKSUM.size:
            raise BrokenFileError("expected a record, got the end of the file")
        length, checksum = header[: LENGTH.size], header[LENGTH.size :]
        if masked_checksum(length) != checksum:
            raise BrokenFileError(
                "expected the length of a record, got one that fails its checksum; "
                "the rest of the file cannot be read"
            )
        (size,) = LENGTH.unpack(length)
        data = chunks.take(min(size, limit + 1))
        left = size - len(data)
        while left and (skipped := chunks.take(min(left, limit))):
            left -= len(skipped)
        checksum = chunks.take(CHECKSUM.size)
        if left or len(checksum) < CHECKSUM.size:
            raise BrokenFileError(f"expected a record of {size} bytes, got the end of the file")
        if size > limit:
            yield _Record(data[:RAW_BYTES], too_large(limit))
        elif masked_checksum(data) != checksum:
            detail = "expected a record, got one that fails its checksum"
            yield _Record(data, Failure("malformed_row", detail))
        else:
            yield _Record(data)


def _parse_records(records: list[_Record], part: FilePart, *, columns: ColumnsConfig) -> RawRows:
    # Imported here because TensorFlow takes seconds to import and other formats do not need it.
    from google.protobuf.message import DecodeError
    from tensorflow.core.example.example_pb2 import Example

    names = input_columns(columns)
    failures: dict[int, Failure] = {}
    repaired = set()
    values: list[dict[str, Any]] = []
    for index, record in enumerate(records):
        row: dict[str, Any] = {}
        try:
            if record.failure is not None:
                raise RowError(*record.failure)
            features = Example.FromString(record.data).features.feature
            if columns.text not in features:
                raise RowError(*without_text(columns, list(features)))
            for name in names:
                if name not in features:
                    continue
                row[name], was_repaired = _feature_value(
                    features[name], part, many=name in (columns.labels, columns.probabilities)
                )
                if was_repaired:
                    repaired.add(index)
        except RowError as error:
            failures[index] = error.failure
        except DecodeError:
            failures[index] = Failure(
                "malformed_row", "expected a tf.train.Example, got other data"
            )
        values.append(row)

    def raw_of(index: int) -> bytes:
        return records[index].data

    return mapping_rows(
        values, columns=columns, raw=raw_of, failures=failures, repaired=frozenset(repaired)
    )


def _feature_value(feature: Any, part: FilePart, *, many: bool) -> tuple[Any, bool]:
    """The value of a feature, a list if `many`, and whether U+FFFD replaces a part of it."""
    kind = feature.WhichOneof("kind")
    values = [] if kind is None else list(getattr(feature, kind).value)
    repaired = False
    if kind == "bytes_list":
        encoding, errors = part.input.encoding, part.input.errors
        decoded = [decode(each, encoding=encoding, name=encoding, errors=errors) for each in values]
        values = [text for text, _ in decoded]
        repaired = any(was_repaired for _, was_repaired in decoded)
    if kind == "float_list":
        values = [shortest_float(each) for each in values]
    if many or len(values) > 1:
        return values, repaired
    return values[0] if values else None, repaired


def _record_bytes(record: _Record) -> int:
    return len(record.data)
