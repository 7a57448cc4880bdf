import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import FileInfo, join, write_text
from tests.pipeline import object_store

FILES = BeamFiles()


@pytest.fixture(params=["local", "objects"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder, on disk and in an object store."""
    object_store.OBJECTS.clear()
    return str(tmp_path) if request.param == "local" else "objects://bucket/folder"


def write(folder: str, *names: str) -> None:
    for name in names:
        write_text(FILES, join(folder, name), name)


def found(folder: str, pattern: str) -> list[str]:
    return [info.path.removeprefix(folder + "/") for info in FILES.match(join(folder, pattern))]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["a.txt", "b.txt"]),
        ("**", ["a.txt", "b.txt", "deep/c.txt", "deep/er/d.txt"]),
        ("deep/*", ["deep/c.txt"]),
        ("*/*.txt", ["deep/c.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[b-z].txt", ["b.txt"]),
        ("b.txt", ["b.txt"]),
        ("none", []),
        ("none/*", []),
        ("deep/none/**", []),
    ],
)
def test_globs_match_files_in_order(folder: str, pattern: str, names: list[str]) -> None:
    write(folder, "b.txt", "deep/er/d.txt", "a.txt", "deep/c.txt")
    assert found(folder, pattern) == names


def test_a_match_knows_the_size(folder: str) -> None:
    write(folder, "a.txt")
    path = join(folder, "a.txt")
    assert FILES.match(path) == [FileInfo(path=path, bytes=5)]
    assert FILES.size(path) == 5


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    write(str(tmp_path), "deep/c.txt")
    assert FILES.match(str(tmp_path / "deep")) == []


def test_files_and_folders_exist(folder: str) -> None:
    write(folder, "deep/c.txt")
    assert FILES.exists(join(folder, "deep/c.txt"))
    assert FILES.exists(join(folder, "deep"))
    assert not FILES.exists(join(folder, "dee"))
    assert not FILES.exists(join(folder, "deep/c"))


def test_deleting_takes_files_and_whole_folders_and_ignores_absent_ones(folder: str) -> None:
    write(folder, "a", "ab", "deep/b", "deep/er/c", "deeper/d")
    FILES.delete([join(folder, name) for name in ("a", "deep", "none", "none/at/all")])
    assert found(folder, "**") == ["ab", "deeper/d"]
    FILES.delete([join(folder, "deep")])
    FILES.delete([])
    assert found(folder, "**") == ["ab", "deeper/d"]


def test_two_runs_may_delete_the_same_files_at_once(tmp_path: Path) -> None:
    names = [f"{number}" for number in range(300)]
    write(str(tmp_path), *names)
    paths = [join(str(tmp_path), name) for name in names]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(FILES.delete, [paths] * 4))
    assert found(str(tmp_path), "**") == []


def test_what_cannot_be_deleted_is_an_error() -> None:
    with pytest.raises(OSError, match="Delete operation failed"):
        FILES.delete(["/proc/version"])


def test_moving_replaces_the_target(folder: str) -> None:
    write(folder, "a", "b", "c")
    FILES.move([(join(folder, "a"), join(folder, "b")), (join(folder, "c"), join(folder, "new/c"))])
    assert found(folder, "**") == ["b", "new/c"]
    with FILES.open(join(folder, "b")) as stream:
        assert stream.read() == b"a"


def test_nothing_is_decompressed(folder: str) -> None:
    path = join(folder, "a.gz")
    content = gzip.compress(b"text")
    with FILES.create(path) as stream:
        stream.write(content)
    with FILES.open(path) as stream:
        assert stream.read() == content


def test_a_local_file_is_read_from_any_place(tmp_path: Path) -> None:
    write(str(tmp_path), "abc")
    with FILES.open(str(tmp_path / "abc")) as stream:
        stream.seek(1)
        assert stream.read() == b"bc"


def test_a_local_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        FILES.open(str(tmp_path / "none"))


def test_a_local_digest_is_that_of_the_content(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "a").write_bytes(content)
    assert FILES.digest(str(tmp_path / "a")) == hashlib.sha256(content).hexdigest()


def test_a_digest_changes_with_the_content(folder: str) -> None:
    write_text(FILES, join(folder, "a"), "one")
    before = FILES.digest(join(folder, "a"))
    assert FILES.digest(join(folder, "a")) == before
    write_text(FILES, join(folder, "a"), "two")
    assert FILES.digest(join(folder, "a")) != before


def test_a_file_can_be_moved_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(str(tmp_path), "a")
    FILES.move([(str(tmp_path / "a"), "b.txt")])
    assert found(str(tmp_path), "**") == ["b.txt"]
    assert (tmp_path / "b.txt").read_text() == "a"


def test_a_local_move_replaces_its_target_and_leaves_no_copy(tmp_path: Path) -> None:
    files = BeamFiles()
    for content in (b"old", b"new"):
        (tmp_path / "staged").write_bytes(content)
        files.move([(str(tmp_path / "staged"), str(tmp_path / "deep/target"))])
        assert (tmp_path / "deep/target").read_bytes() == content
        assert not (tmp_path / "staged").exists()


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("file:///tmp/a.jsonl", "Write a path on this machine without file://."),
        ("https://example.org/a.jsonl", "Copy the data to one of these first."),
        ("nowhere://a", "Copy the data to one of these first."),
        ("HDFS2://a*", "Copy the data to one of these first."),
    ],
)
def test_a_filesystem_that_beam_does_not_know_is_a_wrong_config(path: str, advice: str) -> None:
    for use in (FILES.match, FILES.open, FILES.create, FILES.exists, FILES.size, FILES.digest):
        with pytest.raises(ConfigError) as raised:
            use(path)
        assert str(raised.value).startswith(f"{path}: expected a path on this machine or on a")
        assert str(raised.value).endswith(advice)
