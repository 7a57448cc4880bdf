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
