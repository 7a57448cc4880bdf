from hypothesis import given
from hypothesis import strategies as st

from pipeline.process.printable import printable, shortened

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@given(any_text)
def test_printable_text_keeps_its_length_and_can_be_written(text):
    shown = printable(text)
    assert len(shown) == len(text)
    shown.encode("utf-8")
    assert all(character in "\t\n" or ord(character) >= 0x20 for character in shown)
    assert printable(shown) == shown


def test_long_names_are_shortened() -> None:
    assert shortened(60 * "x") == 60 * "x"
    assert shortened("1" + 400 * "0") == f"1{29 * '0'} .. {26 * '0'}"
