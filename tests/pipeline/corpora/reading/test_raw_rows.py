from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.raw_rows import mapping_rows


def raw_of(index: int) -> bytes:
    return b"raw %d" % index


def test_a_mapping_without_text_says_what_it_has() -> None:
    rows = mapping_rows([{"body": "a", "id": 1}], columns=ColumnsConfig(), raw=raw_of)
    assert rows.failures == {
        0: Failure("missing_column", "expected a column 'text', got the list ['body', 'id']")
    }


def test_the_rows_that_lack_a_column_are_known() -> None:
    values = [{"text": "a", "id": 1}, {"text": "b"}, {"text": "c", "id": None}]
    rows = mapping_rows(values, columns=ColumnsConfig(id="id", weight="w"), raw=raw_of)
    assert rows.absent["id"] == {1}
    assert rows.absent["w"] == {0, 1, 2}
    assert "text" not in rows.absent
    assert rows.head(2).absent["w"] == {0, 1}
