import time

import numpy as np
import pyarrow as pa
import pytest

from model.config import ConfigError
from model.text.protected import find_protected, join_patterns
from model.text.string_buffers import build_strings


@pytest.mark.parametrize(
    ("patterns", "text", "expected"),
    [
        ((r"</?e[12]>",), "the <e1>cat</e1> sat", ["<e1>", "</e1>"]),
        ((r"<e1>",), "none here", []),
        ((r"@\w+", r"https?://\S+"), "é@you: http://x.y/é?q ü", ["@you", "http://x.y/é?q"]),
        ((r"ab|a", r"abc"), "abc", ["ab"]),  # the first pattern that matches, not the longest match
        ((r"a(b)(c)?", r"(d)"), "abd", ["ab", "d"]),  # patterns with groups
        ((r"aa",), "aaaaa", ["aa", "aa"]),
        ((r"(?i)new york",), "New York new", ["New York"]),
        ((r"(?i)a", r"b"), "AB", ["A"]),  # a flag applies to its own pattern only
        ((r"\bx*",), "ab xx", ["xx"]),  # empty matches are ignored
        ((r"a.b",), "a\0b a日b", ["a\0b", "a日b"]),
        ((r"\p{Han}+",), "x日本x", ["日本"]),
        ((r"x$",), "x\nx", ["x"]),
    ],
)
def test_finds_matches(patterns: tuple[str, ...], text: str, expected: list[str]) -> None:
    starts, ends = find_protected(pa.array([text]), join_patterns(patterns))
    encoded = text.encode()
    pairs = zip(starts, ends, strict=True)
    assert [encoded[start:end].decode() for start, end in pairs] == expected


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_positions_count_from_the_start_of_the_batch(kind: pa.DataType) -> None:
    texts = pa.array(["@cut off", "é @a", None, "", "@b"], kind)[1:]
    starts, ends = find_protected(texts, join_patterns((r"@\w+",)))
    assert starts.tolist() == [3, 5]
    assert ends.tolist() == [5, 7]


def test_refuses_bytes_that_are_used_as_markers() -> None:
    texts = build_strings(np.frombuffer(b"a\xfeb", np.uint8), np.array([0, 3], np.int32))
    with pytest.raises(ValueError, match="expected valid UTF-8"):
        find_protected(texts, join_patterns(("b",)))


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(", "missing )"),
        (")|(", "unexpected )"),
        ("a(?=b)", "RE2 has no look-around"),
        (r"(a)\1", "RE2"),
        ("", "matches the empty text"),
        ("a*", "matches the empty text"),
        (r"a\Qb", "missing )"),  # it would take the next pattern as text
        (r"a\\\Cb", "matches one byte"),
    ],
)
def test_an_error_names_the_pattern(pattern: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=r"text\.protected: expected .*got") as caught:
        join_patterns(("fine", pattern))
    assert complaint in str(caught.value)
    assert repr(pattern) in str(caught.value)


def test_a_backslash_before_a_c_is_no_single_byte() -> None:
    assert join_patterns((r"a\\C",)) == r"(?:a\\C)"


def test_patterns_are_of_limited_length() -> None:
    with pytest.raises(ConfigError, match="expected patterns of at most 10,000 characters"):
        join_patterns(("a" * 9_999, "bc"))


def test_patterns_that_are_too_large_together_are_refused_at_once() -> None:
    started = time.process_time()
    with pytest.raises(ConfigError, match="pattern too large"):
        join_patterns(tuple(r"(?:\pL\pN){50}N" for _ in range(600)))
    assert time.process_time() - started < 15  # one by one it took a minute
