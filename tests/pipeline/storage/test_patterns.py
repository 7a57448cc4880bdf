import re

import pytest
from apache_beam.io.filesystem import FileSystem
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.patterns import below, fixed_folder, is_hidden, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/b/c.csv", False),
        ("a/**", "a/b/c.csv", True),
        ("a/**/*.csv", "a/c.csv", True),
        ("**/*.csv", "c.csv", True),
        ("a/**/c.csv", "a/xc.csv", False),
        ("a**/c.csv", "ab/d/c.csv", True),
        ("a**/c.csv", "ac.csv", False),
        ("a/?.csv", "a/b.csv", True),
        ("a?b", "a/b", False),
        ("[ab].csv", "b.csv", True),
        ("[!ab].csv", "b.csv", False),
        ("[[]1].csv", "[1].csv", True),
        ("[]]1", "]1", True),
        ("[^a]", "^", True),
        ("part-[^0]", "part-1", True),
        ("part-[^0]", "part-0", False),
        ("part-[^0]", "part-^", True),
        ("[^]]1", "]1", False),
        ("[a^]", "^", True),
        ("a[^x]b", "a/b", False),
        ("[a-c]", "b", True),
        ("a[", "a[", True),
        ("[]", "[]", True),
        ("[b-a]", "[b-a]", True),
        ("a.csv", "axcsv", False),
        ("*", "a\nb", True),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(pattern=st.text("ab*[]!-", max_size=8), path=st.text("ab[]!-", max_size=8))
def test_patterns_mean_what_they_mean_to_beam(pattern: str, path: str) -> None:
    try:
        beams = re.compile(FileSystem.translate_pattern(pattern))
    except re.error:  # such as [b-a]
        return
    assert matches(pattern, path) == bool(beams.match(path))


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("a/b/*.csv", "a/b"),
        ("a/b*/c", "a"),
        ("*", ""),
        ("/*", "/"),
        ("gs://b/in/x[1]", "gs://b/in"),
        ("a/b.csv", "a"),
    ],
)
def test_the_fixed_folder_of_a_pattern(pattern: str, folder: str) -> None:
    assert fixed_folder(pattern) == folder
    assert below(folder, pattern) in pattern


@pytest.mark.parametrize(
    ("path", "pattern", "hidden"),
    [
        ("_SUCCESS", "*", True),
        (".x/a.csv", "*/a.csv", True),
        (".x/a.csv", ".x/*.csv", False),
        ("_SUCCESS", "_*", False),
        ("_SUCCESS", "[_]*", False),
        ("a/.b", "**", True),
        ("a/b", "**", False),
        ("_a/_b", "_*/*", True),
        ("_a", "", True),
        ("Thumbs.db", "", True),
        ("Thumbs.db", "T*", True),
        ("Thumbs.db", "Thumbs.db", False),
        ("a/DESKTOP.INI", "**", True),
        ("Icon\r", "*", True),
        ("Icon", "*", False),
        ("~$a.csv", "*.csv", True),
        ("_SUCCESS", "[!a]*", True),
        ("_SUCCESS", "[^a]*", True),
    ],
)
def test_hidden_names(path: str, pattern: str, hidden: bool) -> None:
    assert is_hidden(path, pattern) is hidden
