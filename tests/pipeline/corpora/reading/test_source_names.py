from pathlib import Path

import pytest

from pipeline.corpora.reading.source_names import source_names


def test_a_file_is_called_by_its_path_below_the_folder_of_its_input() -> None:
    assert source_names([("/a", ["/a/x", "/a/b/x"]), ("/a", ["/a/y"])]) == {
        "/a/x": "x",
        "/a/b/x": "b/x",
        "/a/y": "y",
    }


def test_the_files_of_further_folders_are_called_with_the_folder() -> None:
    names = source_names(
        [("gs://b/train", ["gs://b/train/x"]), ("gs://b/test", ["gs://b/test/x", "gs://b/test/y"])]
    )
    assert list(names.values()) == ["x", "test/x", "test/y"]


def test_names_differ_whatever_the_folders_are_called() -> None:
    inputs = [
        ("/in", ["/in/test/a", "/in/a"]),
        ("/other/test", ["/other/test/a"]),
        ("/more/other/test", ["/more/other/test/a"]),
        ("/", ["/a"]),
    ]
    names = source_names(inputs)
    assert len(set(names.values())) == 5
    assert names["/other/test/a"] == "other/test/a"
    assert names["/more/other/test/a"] == "more/other/test/a"


def test_names_differ_where_an_earlier_folder_comes_again_with_more_files() -> None:
    inputs = [("/in", ["/in/a"]), ("/other/b", ["/other/b/x"]), ("/in", ["/in/b/x"])]
    assert source_names(inputs) == {"/in/a": "a", "/in/b/x": "b/x", "/other/b/x": "other/b/x"}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/in/2026-11-20", "2026-11-20/x"),
        ("/in/20261120/deep", "20261120/deep/x"),
        ("/in/dt=2026-11-20", "dt=2026-11-20/x"),
        ("/in/year=2026/month=11/day=20", "year=2026/month=11/day=20/x"),
        ("/in/2026/11/20", "2026/11/20/x"),
        ("/in/export-2026-11-20", "export-2026-11-20/x"),
        ("/in/2026-11", "2026-11/x"),
        ("/in/20-11-2026", "20-11-2026/x"),
        ("gs://bucket/in/2026-11-20", "2026-11-20/x"),
        ("/in/2026", "x"),
        ("/in/12345678", "x"),
        ("/in/120261120", "x"),
        ("/in/v2", "x"),
    ],
)
def test_a_folder_that_stands_for_a_date_is_a_part_of_the_name(folder: str, name: str) -> None:
    assert source_names([(folder, [f"{folder}/x"])]) == {f"{folder}/x": name}


def test_relative_and_absolute_paths_give_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [relative] = source_names([("in/2026-11-20", ["in/2026-11-20/x"])]).values()
    folder = str(tmp_path / "in/2026-11-20")
    assert source_names([(folder, [f"{folder}/x"])]) == {f"{folder}/x": relative}
    assert source_names([("", ["x"])]) == {"x": "x"}
