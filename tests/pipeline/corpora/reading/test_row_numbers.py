import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.dividing import divide_file
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.row_numbers import count_rows, number_rows, parts_to_count


@given(
    contents=st.lists(
        st.lists(st.sampled_from(["", " ", "x", "a longer line", "é"]), max_size=12),
        min_size=1,
        max_size=3,
    ),
    part_bytes=st.integers(1, 40),
    document=st.sampled_from(["jsonl", "text"]),
)
def test_rows_have_the_numbers_they_have_in_the_whole_file(
    contents: list[list[str]], part_bytes: int, document: str
) -> None:
    config = InputConfig(path="x", format=document)  # type: ignore[arg-type]
    encoded = {
        f"file{index}": "".join(
            (json.dumps({"text": line}) if line.strip() and document == "jsonl" else line) + "\n"
            for line in lines
        ).encode()
        for index, lines in enumerate(contents)
    }
    wholes = [FilePart(path=path, source_file=path, input=config) for path in encoded]
    parts = [
        part
        for whole in wholes
        for part in divide_file(whole, size=len(encoded[whole.path]), part_bytes=part_bytes)
    ]
    counts = {
        (part.path, part.start): count_rows(io.BytesIO(encoded[part.path]), part)
        for part in parts_to_count(parts)
    }
    numbered = number_rows(parts, counts)
    assert rows_of(numbered, encoded) == rows_of(wholes, encoded)


def rows_of(parts: Sequence[FilePart], encoded: dict[str, bytes]) -> list[tuple[str, int, str]]:
    """File, row and text or reason of every row, in order of reading."""
    rows = []
    for part in parts:
        for batch in read_part(io.BytesIO(encoded[part.path]), part, corpus=CorpusConfig()):
            found = [
                (each["source_file"], each["source_row"], each.get("text") or each["reason"])
                for table in (batch.documents, batch.rejections)
                for each in table.to_pylist()
            ]
            rows += sorted(found)
    return sorted(rows)


def test_only_divided_files_of_lines_are_counted(tmp_path: Path) -> None:
    jsonl = FilePart(path="a", source_file="a", input=InputConfig(path="a"))
    parquet = FilePart(path="p", source_file="p", input=InputConfig(path="p", format="parquet"))
    divided = divide_file(jsonl, size=100, part_bytes=60)
    alone = FilePart(path="b", source_file="b", input=InputConfig(path="b"))
    assert parts_to_count([*divided, alone, parquet, parquet]) == divided


def test_the_rows_of_a_format_that_is_never_divided_cannot_be_counted() -> None:
    part = FilePart(path="a", source_file="a", input=InputConfig(path="a", format="csv"))
    with pytest.raises(ValueError, match="expected a file of lines or Parquet, got csv"):
        count_rows(io.BytesIO(b""), part)
