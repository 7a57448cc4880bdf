import pytest

from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import RowError


def test_decode() -> None:
    assert decode(b"caf\xc3\xa9", name="utf-8", errors="reject") == ("café", False)
    assert decode(b"caf\xe9", name="utf-8", errors="replace") == ("caf\ufffd", True)
    assert decode(b"caf\xe9", encoding="latin-1", name="latin-1", errors="reject") == (
        "café",
        False,
    )
    with pytest.raises(RowError, match="expected utf-8 text, got other bytes from byte 3"):
        decode(b"caf\xe9", name="utf-8", errors="reject")
