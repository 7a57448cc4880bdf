"""string_keys: FNV-1a, against its published test vectors."""

import pyarrow as pa
import pytest

from pipeline.nights.string_keys import string_keys


@pytest.mark.parametrize(
    ("text", "key"),
    [("", 0xCBF29CE484222325), ("a", 0xAF63DC4C8601EC8C), ("foobar", 0x85944171F73967E8)],
)
def test_keys_are_those_of_the_published_vectors(text: str, key: int) -> None:
    assert string_keys(pa.array([text])).tolist() == [key]
