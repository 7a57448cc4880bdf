"""No fault of a file loses rows in silence: it is named, or every row is accounted for."""

import struct
from collections import Counter

import pytest

from model.config import ConfigError
from tests.pipeline.corpora.formats.fault_files import (
    COMPRESSIONS,
    FILES,
    ROWS,
    TEXTS,
    StoredFile,
    cut_files,
    flipped_files,
)
from tests.pipeline.corpora.formats.whole_file import Read, read_bytes

CUTS, FLIPS = 10, 20
OTHER_FAULTS = 6  # of every file: see `test_other_faults`

ALL = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def read(file: StoredFile, content: bytes, *, name: str = "") -> Read:
    """What is read of it. An error about a column names the file, too, and fails the run."""
    try:
        return read_bytes(content, name=name or file.name, format=file.format)
    except ConfigError as error:
        if file.name not in str(error) or file.format not in ("parquet", "csv"):
            raise
        return Read(documents=[], rejections=[], rows_read=0, rows_repaired=0, broken=str(error))


def test_the_matrix_has_a_thousand_cases() -> None:
    cases = sum(
        len(list(cut_files(file, CUTS))) + len(list(flipped_files(file, FLIPS))) + OTHER_FAULTS
        for file in FILES
    )
    print(f"{cases:,} cases")
    assert cases >= 1_000


@ALL
def test_a_file_without_a_fault_has_all_rows(file: StoredFile) -> None:
    found = read(file, file.content)
    assert (found.texts, found.rejections, found.broken) == (TEXTS, [], None)


@ALL
def test_cuts(file: StoredFile) -> None:
    for content in cut_files(file, CUTS):
        found = read(file, content)
        whole = [text for text in TEXTS if text in found.texts]
        assert whole == TEXTS[: len(whole)]  # the rows before the damage, in order
        if found.broken is not None:
            assert not found.rejections
            assert len(found.texts) <= len(whole) + (file.format == "text")
        elif file.checked:  # only a cut between two records of a plain file cannot be known
            assert file.name == "a.tfrecord"
        else:  # all rows of which the file has a beginning
            assert found.rows_read - len(whole) <= 1


@ALL
def test_flips(file: StoredFile) -> None:
    for content in flipped_files(file, FLIPS):
        found = read(file, content)
        if found.broken is not None:
            continue
        intact = sum((Counter(TEXTS) & Counter(found.texts)).values())
        if file.checked:
            assert found.rows_read == ROWS
            assert intact == len(found.texts)  # what is not named is as it was
        else:  # plain lines: a byte may change its row, or join or part two rows
            assert intact + len(found.rejections) >= ROWS - 2
            assert abs(found.rows_read - ROWS) <= 1


@ALL
def test_other_faults(file: StoredFile) -> None:
    empty = read(file, b"")
    suffix = next(each for each in reversed(COMPRESSIONS) if file.name.endswith(each))
    assert empty.rows_read == 0
    assert (empty.broken is None) == (not suffix and file.format != "parquet")

    garbage = read(file, file.content + b"garbage \x00\x01\x02 after the end")
    if file.checked:
        assert garbage.broken is not None
        assert garbage.texts in (TEXTS, [])
    assert garbage.broken is not None or garbage.texts[:ROWS] == TEXTS

    zeros = read(file, file.content + b"\0" * 512)
    assert zeros.broken is not None or (bool(suffix) and zeros.texts == TEXTS)

    twice = read(file, file.content + file.content)
    if file.format == "parquet":  # a footer counts from the beginning of its file
        assert twice.broken is not None or twice.rows_read == ROWS
    else:
        assert twice.broken is None
        assert [text for text in twice.texts if text in TEXTS] == TEXTS + TEXTS

    for name in ("a", "a.gz"):
        named = read(file, file.content, name=name)
        assert (named.texts, named.rejections, named.broken) == (TEXTS, [], None)


def test_a_damaged_footer_of_parquet_never_ends_the_process() -> None:
    """Arrow's C++ ends it where Python asks for the metadata of a column that are damaged."""
    [file] = [file for file in FILES if file.name == "none.parquet"]
    [size] = struct.unpack("<I", file.content[-8:-4])
    for place in range(len(file.content) - 8 - size, len(file.content) - 8, 2):
        content = bytearray(file.content)
        content[place] ^= 1 << place // 2 % 8
        found = read(file, bytes(content))
        assert found.broken is not None or found.texts == TEXTS or found.rows_read == ROWS


@pytest.mark.parametrize("end", ['"c', "c", '"c"', "c,1\n"])
def test_a_csv_file_that_ends_within_a_row_is_broken(end: str) -> None:
    found = read_bytes(f'text,n\n"a",1\nb,1\n{end}'.encode(), format="csv")
    whole = end.endswith("\n")
    assert found.texts == ["a", "b", *(["c"] if whole else [])]
    assert (found.broken is None) == whole
    assert not found.rejections


def test_a_name_of_a_column_that_is_not_utf_8_breaks_the_file() -> None:
    """Found by `make fuzz`."""
    [file] = [file for file in FILES if file.name == "none.parquet"]
    found = read(file, file.content.replace(b"number", b"numbe\xff"))
    assert "got damaged data" in str(found.broken)
