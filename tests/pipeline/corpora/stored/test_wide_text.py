"""Text in UTF-16 or UTF-32 behind text in another encoding."""

import pytest

from tests.pipeline.corpora.formats.whole_file import read_bytes

ROWS = {
    "jsonl": '{{"text": "good film {}"}}',
    "csv": "good film {}",
    "text": "good film {}",
    "trec": "LOC:city good film {}",
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
def test_wide_text_behind_other_text_is_never_used(
    kind: str, wide: str, end: str, encoding: str, most: int
) -> None:
    first = ["text"] * (kind == "csv") + [ROWS[kind].format(number) for number in range(2_000)]
    stored = "".join(f"{row}{end}" for row in first).encode(encoding)
    more = "".join(ROWS[kind].format(number) + end for number in range(300)).encode(wide)
    read = read_bytes(stored + more, format=kind, encoding=encoding, most=most)
    assert "got text in UTF-16 or UTF-32 behind it" in str(read.broken)
    assert read.texts == [f"good film {number}" for number in range(2_000)]
    assert read.rejections == []


def test_wide_text_of_other_letters_is_found_by_its_line_ends_or_its_mark() -> None:
    for more in (
        "да\r\n".encode("utf-16-le"),
        "да\r\n".encode("utf-16-be"),
        "да\n".encode("utf-16"),
    ):
        for most in (1, 2, 3, 100):
            read = read_bytes(b"a\nb\n" + more, format="text", most=most)
            assert read.broken is not None
            assert (read.texts, read.rejections) == (["a", "b"], [])


def test_a_few_zeros_in_a_text_are_kept() -> None:
    texts = ["a\0b", "\0a", "a\0", "a\0b\0c\0d", "\xff\xfe"]
    read = read_bytes("".join(f"{text}\n" for text in texts).encode(), format="text")
    assert (read.texts, read.broken) == (texts, None)
    assert read_bytes(b"a\nb \xff\xfe\nc\n", format="text").reasons == [(1, "not_utf8")]
