from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.check_rows import ReadBatch, check_rows
from pipeline.corpora.reading.columns import input_columns, kept_fields
from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.raw_rows import RawRows, mapping_rows


def raw_of(index: int) -> bytes:
    return b"raw %d" % index


def check(rows: RawRows, columns: ColumnsConfig, *, split: str | None = None) -> ReadBatch:
    return check_rows(
        rows, source_file="rows", first_row=10, columns=columns, split=split, max_text_bytes=100
    )


def test_each_row_is_a_document_or_a_rejection_with_its_row_number() -> None:
    rows = RawRows(
        size=4,
        columns={"text": ["a", "", None, "b"], "id": ["x", "y", None, None]},
        raw=raw_of,
        failures={2: Failure("malformed_row", "torn")},
        repaired=frozenset({0, 1}),
    )
    batch = check(rows, ColumnsConfig(id="id"))
    assert batch.documents.select(["document_id", "text", "source_row"]).to_pylist() == [
        {"document_id": "x", "text": "a", "source_row": 10},
        {"document_id": "rows#13", "text": "b", "source_row": 13},
    ]
    assert batch.rejections.to_pylist() == [
        {
            "document_id": "y",
            "source_file": "rows",
            "source_row": 11,
            "reason": "empty_text",
            "detail": "expected text in 'text', got the string ''",
            "raw": b"raw 1",
        },
        {
            "document_id": "rows#12",
            "source_file": "rows",
            "source_row": 12,
            "reason": "malformed_row",
            "detail": "torn",
            "raw": b"raw 2",
        },
    ]
    assert (batch.rows_read, batch.rows_repaired) == (4, 1)


def test_a_row_with_several_faults_is_rejected_once_for_the_first() -> None:
    rows = mapping_rows(
        [{"text": "", "id": 1.5, "label": []}], columns=ColumnsConfig(id="id"), raw=raw_of
    )
    batch = check(rows, ColumnsConfig(id="id"))
    assert batch.rejections.column("reason").to_pylist() == ["empty_text"]


def test_the_split_of_a_row_overrides_that_of_the_input() -> None:
    columns = ColumnsConfig(split="split")
    rows = mapping_rows([{"text": "a", "split": "val"}, {"text": "b"}], columns=columns, raw=raw_of)
    assert check(rows, columns, split="train").documents.column("split").to_pylist() == [
        "validation",
        "train",
    ]
    assert check(rows, columns).documents.column("split").to_pylist() == ["validation", None]


def test_a_rejection_holds_only_the_first_bytes_of_its_row() -> None:
    rows = mapping_rows([{}], columns=ColumnsConfig(), raw=lambda index: b"x" * 5_000)
    batch = check(rows, ColumnsConfig())
    assert batch.rejections.column("raw").to_pylist() == [b"x" * 1_000]


def test_one_column_may_fill_two_fields() -> None:
    columns = ColumnsConfig(text="body", rationale="body", keep=("body", "stars"))
    assert input_columns(columns) == ("body", "label", "stars")
    rows = mapping_rows([{"body": "abc", "stars": 4}], columns=columns, raw=raw_of)
    (document,) = check(rows, columns).documents.to_pylist()
    assert (document["text"], document["body"], document["stars"]) == ("abc", "abc", "4")
    assert document["rationale"] == [{"start": 0, "end": 3}]
    assert [field.name for field in kept_fields(columns)] == ["body", "stars"]
