import pyarrow as pa
import pytest

from pipeline.corpora.scoring.partition_values import reject_long_values
from pipeline.storage.partition_names import partition_folder

LONGEST = 255 - len("lang=")


def documents_of(*values: str | None) -> pa.RecordBatch:
    rows = range(len(values))
    return pa.record_batch(
        {
            "document_id": [f"d{row}" for row in rows],
            "text": ["good"] * len(values),
            "source_file": ["f"] * len(values),
            "source_row": pa.array(rows, pa.int64()),
            "lang": pa.array(values, pa.string()),
        }
    )


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (None, True),
        ("", True),
        ("a" * LONGEST, True),
        ("a" * (LONGEST + 1), False),
        ("A" * (LONGEST // 3), True),  # a capital letter is three bytes
        ("A" * (LONGEST // 3 + 1), False),
        ("a" * (LONGEST - 2) + ".", False),  # and a dot at the end
        ("\u00e9" * 41, True),  # six bytes each
        ("\u00e9" * 42, False),
    ],
)
def test_a_row_whose_value_cannot_name_a_folder_is_rejected(value: str | None, fits: bool) -> None:
    documents = documents_of("en", value, "de")
    used, rejections = reject_long_values(documents, "lang")
    kept = ["d0", "d1", "d2"] if fits else ["d0", "d2"]
    assert used.column("document_id").to_pylist() == kept
    for each in used.column("lang").to_pylist():
        assert len(partition_folder("lang", each)) <= 255
    if fits:
        assert rejections is None
        return
    assert rejections is not None
    [row] = rejections.to_pylist()
    assert (row["document_id"], row["source_row"], row["reason"]) == ("d1", 1, "malformed_row")
    assert "expected a value of 'lang'" in row["detail"]
    assert "a folder of at most 255 bytes, got one of " in row["detail"]


def test_a_batch_without_rows_or_values_is_used() -> None:
    for documents in (documents_of(), documents_of(None, None)):
        assert reject_long_values(documents, "lang") == (documents, None)


@pytest.mark.parametrize("column", [None, "label"])
def test_without_a_kept_column_no_row_is_rejected(column: str | None) -> None:
    documents = documents_of("a" * 300)
    assert reject_long_values(documents, column) == (documents, None)
