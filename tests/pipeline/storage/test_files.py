from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import (
    base_name,
    join,
    read_json,
    read_lines,
    replace_text,
    write_json,
    write_lines,
    write_text,
)

FILES = BeamFiles()


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("a", "b", "c"), "a/b/c"),
        (("a/", "b"), "a/b"),
        (("/", "b"), "/b"),
        (("gs://bucket", "b"), "gs://bucket/b"),
        (("gs://bucket/", "b"), "gs://bucket/b"),
    ],
)
def test_paths_are_joined_by_slashes(parts: tuple[str, ...], path: str) -> None:
    assert join(*parts) == path


@pytest.mark.parametrize(("path", "name"), [("a/b", "b"), ("b", "b"), ("gs://x/y/", "y")])
def test_the_base_name_is_the_last_part(path: str, name: str) -> None:
    assert base_name(path) == name


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))))
def test_lines_survive_a_file(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = str(tmp_path_factory.mktemp("lines") / "lines.txt")
    write_lines(FILES, path, lines)
    assert read_lines(FILES, path) == lines


def test_equal_values_make_equal_json_files(tmp_path: Path) -> None:
    first, second = str(tmp_path / "1"), str(tmp_path / "2")
    write_json(FILES, first, {"b": 1, "a": ["é", None]})
    write_json(FILES, second, {"a": ["é", None], "b": 1})
    assert Path(first).read_bytes() == Path(second).read_bytes()
    assert "é" in Path(first).read_text(encoding="utf-8")
    assert read_json(FILES, first) == {"a": ["é", None], "b": 1}


def test_writing_makes_folders_and_replaces_files(tmp_path: Path) -> None:
    path = str(tmp_path / "new/folder/file")
    write_text(FILES, path, "a long text")
    write_text(FILES, path, "é")
    assert Path(path).read_bytes() == "é".encode()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_text(FILES, str(path), "old")
    (tmp_path / "file.new").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        replace_text(FILES, str(path), "new")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"
