import contextlib
import glob
import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import write_text
from pipeline.storage.matching import Matched, UnusableFileError, match_files
from tests.pipeline import object_store

FILES = BeamFiles()
SPARK = ("_SUCCESS", "._SUCCESS.crc", ".part-0.crc", ".DS_Store", "part-0", "part-1")
TREE = (
    *(f"out/{name}" for name in SPARK),
    *(f"all.parquet/{name}" for name in SPARK),
    "nb/a.jsonl",
    "nb/.ipynb_checkpoints/a.jsonl",
    "nb/deep/er/b.jsonl",
    "nb/_tmp/c.jsonl",
)


def is_data(name: str) -> bool:
    return name.endswith((".parquet", ".jsonl"))


def local(folder: Path, *names: str) -> str:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a")
    return str(folder)


def in_store(*names: str) -> str:
    object_store.OBJECTS.clear()
    for name in names:
        write_text(FILES, f"objects://bucket/{name}", "a")
    return "objects://bucket"


def found(root: str, pattern: str) -> tuple[list[str], list[str]]:
    matched = match_files(FILES, f"{root}/{pattern}", is_data=is_data)
    names = [info.path.removeprefix(f"{root}/") for info in matched.files]
    assert all(info.bytes == 1 for info in matched.files)
    return names, [path.removeprefix(f"{root}/") for path in matched.left_out]


@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize(
    ("pattern", "names", "left_out"),
    [
        ("out", ["out/part-0", "out/part-1"], 4),
        ("out/", ["out/part-0", "out/part-1"], 4),
        ("out/*", ["out/part-0", "out/part-1"], 4),
        ("out/part-*", ["out/part-0", "out/part-1"], 0),
        ("out/_*", ["out/_SUCCESS"], 0),
        ("out/_SUCCESS", ["out/_SUCCESS"], 0),
        ("*.parquet", ["all.parquet/part-0", "all.parquet/part-1"], 4),
        ("all.parquet", ["all.parquet/part-0", "all.parquet/part-1"], 4),
        ("nb", ["nb/a.jsonl", "nb/deep/er/b.jsonl"], 2),
        ("nb/*", ["nb/a.jsonl"], 3),
        ("nb/**", ["nb/a.jsonl", "nb/deep/er/b.jsonl"], 2),
        ("nb/**/*.jsonl", ["nb/a.jsonl", "nb/deep/er/b.jsonl"], 2),
        ("**/a.jsonl", ["nb/a.jsonl"], 1),
        ("nb/**/er/**/b.jsonl", ["nb/deep/er/b.jsonl"], 0),
        ("*/*.jsonl", ["nb/a.jsonl"], 0),
        ("nb/_tmp/*", ["nb/_tmp/c.jsonl"], 0),
        ("nb/*/*/b.jsonl", ["nb/deep/er/b.jsonl"], 0),
        ("missing/*", [], 0),
        ("missing", [], 0),
    ],
)
def test_folders_and_patterns(
    tmp_path: Path, store: bool, pattern: str, names: list[str], left_out: int
) -> None:
    root = in_store(*TREE) if store else local(tmp_path, *TREE)
    matched, others = found(root, pattern)
    assert matched == names
    assert len(others) == left_out, others


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    root = local(tmp_path, *TREE)
    assert found(root, "nb/*")[1] == ["nb/.ipynb_checkpoints/", "nb/_tmp/", "nb/deep/"]


def test_folders_behind_links_are_followed_and_end(tmp_path: Path) -> None:
    root = local(tmp_path, "data/a.jsonl", "elsewhere/b.jsonl", "z/c.jsonl")
    (tmp_path / "data/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/loop").symlink_to(tmp_path / "data")
    (tmp_path / "elsewhere/up").symlink_to(tmp_path)
    (tmp_path / "data/again").symlink_to(tmp_path / "elsewhere")
    names, left_out = found(root, "data/**")
    assert names[:2] == ["data/a.jsonl", "data/again/b.jsonl"]
    assert {Path(name).name for name in names} == {"a.jsonl", "b.jsonl", "c.jsonl"}
    assert len(names) == 3
    assert {"data/link/", "data/loop/"} <= set(left_out)
    assert found(root, "data/*/b.jsonl")[0] == ["data/again/b.jsonl"]


def test_a_folder_and_a_link_to_it_are_read_once(tmp_path: Path) -> None:
    root = local(tmp_path, "runs/b/x.jsonl")
    (tmp_path / "runs/a").symlink_to("b")
    assert found(root, "runs/*/x.jsonl") == (["runs/b/x.jsonl"], ["runs/a/"])


def test_a_file_and_links_to_it_are_read_once(tmp_path: Path) -> None:
    root = local(tmp_path, "in/2026-11-20.jsonl", "elsewhere/x.jsonl", "elsewhere/sub/y.jsonl")
    (tmp_path / "in/a-latest.jsonl").symlink_to("2026-11-20.jsonl")
    (tmp_path / "in/b.jsonl").symlink_to("a-latest.jsonl")
    (tmp_path / "in/x1.jsonl").symlink_to("../elsewhere/x.jsonl")
    (tmp_path / "in/x2.jsonl").symlink_to(tmp_path / "elsewhere/x.jsonl")
    names = ["in/2026-11-20.jsonl", "in/x1.jsonl"]
    links = ["in/a-latest.jsonl", "in/b.jsonl", "in/x2.jsonl"]
    assert found(root, "in") == (names, links)
    assert found(root, "in/*.jsonl") == (names, links)
    assert found(root, "in/a-*") == (["in/a-latest.jsonl"], [])
    (tmp_path / "in/folder").symlink_to("../elsewhere")
    assert found(root, "in/**") == (
        ["in/2026-11-20.jsonl", "in/folder/sub/y.jsonl", "in/folder/x.jsonl"],
        [*links[:2], "in/x1.jsonl", "in/x2.jsonl"],
    )


def refused(path: object) -> str:
    with pytest.raises(UnusableFileError) as raised:
        match_files(FILES, str(path), is_data=is_data)
    return str(raised.value)


def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path in (tmp_path / "pipe.jsonl", tmp_path / "*.jsonl", tmp_path):
        assert "pipe.jsonl, a FIFO, which can be read only once" in refused(path)
    for path in ("/dev/stdin", "/dev/null", "/proc/self/fd/0", "/proc/self/environ", "/sys/*"):
        assert refused(path).startswith(f"{path}, a device or a file of the machine itself (")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert "socket, a socket" in refused("socket")


def test_a_name_that_is_not_utf_8_is_refused_by_name(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    os.mkdir(folder + b"/in\xff")
    for name in (b"caf\xe9.jsonl", b"in\xff/b.jsonl"):
        Path(os.fsdecode(folder + b"/" + name)).touch()
    for path in (tmp_path, tmp_path / "*.jsonl", os.fsdecode(folder + b"/caf\xe9.jsonl")):
        assert r"/caf\xe9.jsonl, whose name is not UTF-8" in refused(path)
    assert r"/in\xff/b.jsonl, whose name is not UTF-8" in refused(os.fsdecode(folder + b"/in\xff"))


def test_a_link_to_a_device_or_into_the_machine_is_refused(tmp_path: Path) -> None:
    for name, target in (
        ("device", "/dev/null"),
        ("secrets", "/proc/self/environ"),
        ("folder", "/proc/self/net"),
    ):
        link = tmp_path / name / "a.jsonl"
        link.parent.mkdir()
        link.symlink_to(target)
        for pattern in (link, link.parent, tmp_path / name / "*", f"{tmp_path}/{name}/**/*.jsonl"):
            if name != "folder" or pattern != f"{tmp_path}/{name}/**/*.jsonl":
                assert "a.jsonl, a device" in refused(pattern)
        if name == "folder":
            assert "tcp, a device" in refused(link / "tcp")


NAMES = st.text("ab.*[]!-\\\n \xe9", min_size=1, max_size=3).filter(
    lambda name: not name.startswith(".")
)
PATTERN_NAMES = st.text("ab.*?[]!-\\\n \xe9", min_size=1, max_size=4).filter(
    lambda name: not name.startswith(".") and "**" not in name
)


@settings(max_examples=300, deadline=None)
@given(
    tree=st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=8),
    pattern=st.lists(PATTERN_NAMES | st.sampled_from(["*", "**", "a*"]), min_size=1, max_size=4),
)
def test_patterns_mean_what_they_mean_to_python(tree: list[list[str]], pattern: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for parts in tree:
            path = Path(folder, *parts)
            with contextlib.suppress(FileExistsError, NotADirectoryError):  # a folder, or a file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
        written = "/".join([folder, *pattern])
        if os.path.lexists(written):  # means itself, whatever wildcards are in it
            found = glob.glob(
                glob.escape(written) + ("/**" * os.path.isdir(written)), recursive=True
            )
        else:
            found = glob.glob(written, recursive=True)
        expected = sorted({path for path in found if os.path.isfile(path)})
        try:
            matched = match_files(FILES, written, is_data=lambda _: False)
        except UnusableFileError:  # a pattern that is also a name
            assert os.path.lexists(written)
            others = {path for path in glob.glob(written, recursive=True) if path != written}
            assert len(others) > 0
            return
        assert [info.path for info in matched.files] == expected
        # What matches and is not read is a folder.
        folders = {path.rstrip("/") for path in found if os.path.isdir(path)}
        assert {path.rstrip("/") for path in matched.left_out} <= folders


def test_files_in_shared_memory_are_files() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = f"{local(Path(folder), 'a.jsonl')}/a.jsonl"
        matched = match_files(FILES, path, is_data=is_data)
    assert [info.path for info in matched.files] == [path]


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local(tmp_path, "a.jsonl", "in/b.jsonl")
    monkeypatch.chdir(tmp_path)

    def match(pattern: str) -> Matched:
        return match_files(FILES, pattern, is_data=is_data)

    assert [info.path for info in match("*.jsonl").files] == ["a.jsonl"]
    assert [info.path for info in match("in").files] == ["in/b.jsonl"]
    assert [info.path for info in match("**/b.jsonl").files] == ["in/b.jsonl"]
    assert match("a.jsonl").folder == ""
