from hypothesis import given
from hypothesis import strategies as st

from pipeline.process.printable import printable

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@given(any_text)
def test_printable_text_keeps_its_length_and_can_be_written(text):
    shown = printable(text)
    assert len(shown) == len(text)
    shown.encode("utf-8")
    assert all(character in "\t\n" or ord(character) >= 0x20 for character in shown)
    assert printable(shown) == shown
