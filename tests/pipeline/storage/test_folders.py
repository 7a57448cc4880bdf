from pathlib import Path

import pytest

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.folders import download_folder, is_local, local_folder, upload_folder
from tests.pipeline import object_store

FILES = BeamFiles()
CONTENT = {"a": b"1", "deep/b": b"", "deep/er/c": b"x" * (3 << 20), ".hidden": b"h"}


def write_folder(folder: Path) -> None:
    for name, content in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_survives_an_object_store(tmp_path: Path, slash: str) -> None:
    object_store.OBJECTS.clear()
    write_folder(tmp_path / "there")
    upload_folder(FILES, str(tmp_path / "there"), to="objects://bucket/folder" + slash)
    assert sorted(object_store.OBJECTS) == sorted(f"objects://bucket/folder/{n}" for n in CONTENT)
    download_folder(FILES, "objects://bucket/folder" + slash, to=str(tmp_path / "back"))
    assert read_folder(tmp_path / "back") == CONTENT


def test_a_folder_survives_a_local_copy(tmp_path: Path) -> None:
    write_folder(tmp_path / "there")
    upload_folder(FILES, str(tmp_path / "there"), to=str(tmp_path / "copy"))
    download_folder(FILES, str(tmp_path / "copy"), to=str(tmp_path / "back"))
    assert read_folder(tmp_path / "back") == CONTENT


def test_folders_whose_names_begin_alike_are_not_copied(tmp_path: Path) -> None:
    object_store.OBJECTS.clear()
    object_store.OBJECTS.update(
        {"objects://b/model/a": b"1", "objects://b/model-2/a": b"2", "objects://b/modela": b"3"}
    )
    download_folder(FILES, "objects://b/model", to=str(tmp_path))
    assert read_folder(tmp_path) == {"a": b"1"}


def test_a_local_folder_stands_for_itself_and_another_is_copied(tmp_path: Path) -> None:
    object_store.OBJECTS.clear()
    object_store.OBJECTS["objects://b/model/a"] = b"1"
    scratch = str(tmp_path / "scratch")
    assert local_folder(FILES, str(tmp_path), scratch=scratch) == str(tmp_path)
    assert not (tmp_path / "scratch").exists()
    assert local_folder(FILES, "objects://b/model", scratch=scratch) == scratch
    assert read_folder(tmp_path / "scratch") == {"a": b"1"}


@pytest.mark.parametrize(
    ("path", "local"), [("a", True), ("/a/b", True), ("gs://b/a", False), ("s3://b", False)]
)
def test_a_path_with_a_scheme_is_not_local(path: str, local: bool) -> None:
    assert is_local(path) is local
