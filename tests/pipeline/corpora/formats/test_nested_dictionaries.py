import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.formats import nested_dictionaries
from pipeline.corpora.formats.nested_dictionaries import plain_types, unfold_nested
from pipeline.corpora.stored.broken_file import BrokenFileError

TEXTS = st.none() | st.sampled_from(["", "a", "bb", "ccc", "é" * 4])
ROWS = st.fixed_dictionaries(
    {
        "lists": st.none() | st.lists(TEXTS, max_size=4),
        "structs": st.none()
        | st.lists(st.none() | st.fixed_dictionaries({"a": TEXTS}), max_size=3),
        "maps": st.none() | st.lists(st.tuples(st.sampled_from("xyz"), TEXTS), max_size=3),
        "nested": st.none() | st.lists(st.none() | st.lists(TEXTS, max_size=2), max_size=2),
        "text": TEXTS,
    }
)
SCHEMA = pa.schema(
    {
        "lists": pa.list_(pa.string()),
        "structs": pa.list_(pa.struct({"a": pa.string()})),
        "maps": pa.map_(pa.string(), pa.string()),
        "nested": pa.list_(pa.list_(pa.string())),
        "text": pa.string(),
    }
)


def unfold_file(rows: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    """The rows after they were written, read as dictionaries and unfolded."""
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), stream)
    plain = pq.ParquetFile(stream).metadata.schema
    paths = [plain.column(at).path for at in range(len(plain))]
    file = pq.ParquetFile(stream, read_dictionary=[path for path in paths if "." in path])
    return [
        unfolded
        for batch in file.iter_batches(7)
        for unfolded in unfold_nested(batch, plain_types(batch.schema, SCHEMA.names))
    ]


@settings(deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=20), limit=st.sampled_from([40, 100, 1_000]))
def test_rows_stay_what_they_are_in_batches_of_limited_size(
    rows: list[dict[str, Any]], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nested_dictionaries, "ROWS_BYTES", limit)
        try:
            batches = unfold_file(rows)
        except BrokenFileError:  # a row is larger
            assert limit < 1_000
            return
    assert [row for batch in batches for row in batch.to_pylist()] == pa.Table.from_pylist(
        rows, SCHEMA
    ).to_pylist()
    for batch in batches:
        assert batch.schema.equals(SCHEMA)
        texts = [_texts(value) for name, value in batch.to_pydict().items() if name != "text"]
        assert len("".join(texts).encode()) <= limit


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(map(_texts, value.values()))
    return "".join(map(_texts, value)) if isinstance(value, list | tuple) else ""


def test_the_columns_of_a_row_that_is_too_large_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested_dictionaries, "ROWS_BYTES", 10)
    with pytest.raises(BrokenFileError, match="10 bytes, got one with 12 bytes in column 'lists'"):
        unfold_file([{"lists": ["abcd"] * 3}])
