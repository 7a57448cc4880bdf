import pytest

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import require_columns


def test_missing_and_repeated_columns_are_errors() -> None:
    require_columns("rows", ColumnsConfig(label="absent", weight="absent"), ["text"])
    with pytest.raises(ValueError, match="rows: expected a column 'text', got 'a', 'b'"):
        require_columns("rows", ColumnsConfig(), ["a", "b"])
    with pytest.raises(ValueError, match="expected one column 'label', got 2"):
        require_columns("rows", ColumnsConfig(), ["text", "label", "label"])
