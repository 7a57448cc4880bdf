import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.numerals.json_text import json_text

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals(),
    st.binary(), st.dates(), st.datetimes(), st.uuids(),
)  # fmt: skip


@given(
    st.recursive(
        SCALARS,
        lambda each: st.one_of(st.lists(each), st.dictionaries(st.text(), each), st.tuples(each)),
    )
)
def test_any_value_is_valid_json_on_one_line(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = json_text(value)
    json.loads(text, parse_constant=refuse)
    assert "\n" not in text
