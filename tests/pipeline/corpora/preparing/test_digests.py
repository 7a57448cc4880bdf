import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.corpora.preparing.digests import digest_normalized_texts, normalize_texts
from pipeline.schemas import DIGEST_BYTES
from tests.model.text.character_rules import IGNORABLE

# Unicode never changes the normal forms or the lower case of a character that it has assigned.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20)


def normalize(text: str) -> str:
    """The rule of `normalize_texts`, for one text, with Python's own tables."""
    lower = "".join(
        character.lower()
        for character in unicodedata.normalize("NFKD", text)
        if ord(character) not in IGNORABLE
    )
    return re.sub(r"\s+", " ", lower).strip()


@given(TEXTS)
@example("\u200b a\u00ad\u200db \ufeff")
@example("ÀÇ\u0327  \x0b\x1c\x85\u2029 ﬁ Σς İ ẞ 한\x00Ǆ ")
def test_normalizing_is_nfkd_lower_case_and_single_spaces(text: str) -> None:
    assert normalize_texts(pa.array([text])).to_pylist() == [normalize(text)]


def test_no_memory_behind_the_last_text_is_read() -> None:
    # If the texts filled their buffer, Arrow's function that splits at white space read the memory
    # behind it.
    for size in range(260):
        texts = pa.array([f"\n{'x' * size}\n", "\nm\n"])
        for _ in range(40):
            assert normalize_texts(texts).to_pylist() == ["x" * size, "m"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Hello World", "hello   world"),
        ("Hello World", "\tHELLO\u00a0world\n"),
        ("a b", "a\x0b\x85b"),
        ("café", "CAFE\u0301"),
        ("ﬁne", "fine"),
        ("fine", "\ufefffi\u00adne\u200b"),
        ("Ａ１", "a1"),
        ("한국", unicodedata.normalize("NFD", "한국")),
    ],
)
def test_texts_that_differ_only_in_form_have_equal_digests(text: str, same: str) -> None:
    first, second = digest_normalized_texts(pa.array([text, same])).to_pylist()
    assert first == second
    assert len(first) == DIGEST_BYTES


def test_texts_that_differ_in_content_have_different_digests() -> None:
    texts = ["a b", "ab", "a.b", "a b c", "", "é", "e"]
    assert len(set(digest_normalized_texts(pa.array(texts)).to_pylist())) == len(texts)
