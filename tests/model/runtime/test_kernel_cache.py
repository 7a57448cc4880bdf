"""Numba's cache holds pickles: it is read only where no other user can write."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from model.runtime.private_folders import find_intruder

KERNEL = """
from model.runtime.compilation import compiled

@compiled
def function():
    return 1
"""
RUN = (
    "import logging, sys; logging.basicConfig(format='%(message)s'); "
    "sys.path.insert(0, {folder!r}); import kernel; "
    "print(kernel.function(), sum(kernel.function.stats.cache_hits.values()))"
)
OTHER_USER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder that this user alone can write; pytest's own are such folders."""
    if problem := find_intruder(str(tmp_path)):
        pytest.skip(f"needs a folder that nobody else can write, but {problem}")
    (tmp_path / "kernel.py").write_text(KERNEL)
    return tmp_path


def run_kernel(private: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the kernel in a new process."""
    return subprocess.run(
        [sys.executable, "-B", "-c", RUN.format(folder=str(private))],
        env={
            **os.environ,
            "HOME": str(private / "home"),
            "XDG_CACHE_HOME": str(private / "home" / ".cache"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


class RunsCode:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_code_is_cached_in_a_folder_of_this_user(private: Path) -> None:
    cache = str(private / "a" / "cache")
    assert run_kernel(private, NUMBA_CACHE_DIR=cache).stdout == "1 0\n"
    again = run_kernel(private, NUMBA_CACHE_DIR=cache)
    assert (again.stdout, again.stderr) == ("1 1\n", "")
    assert {
        path.stat().st_mode & 0o077 for path in (private / "a").rglob("*") if path.is_dir()
    } == {0}


def test_a_planted_index_is_not_unpickled(private: Path) -> None:
    cache, made = private / "cache", private / "made"
    run_kernel(private, NUMBA_CACHE_DIR=str(cache))
    [index] = cache.rglob("*.nbi")
    index.write_bytes(pickle.dumps(numba.__version__) + pickle.dumps(RunsCode(made)))
    harmful = run_kernel(private, NUMBA_CACHE_DIR=str(cache))
    assert made.exists(), harmful.stderr  # the file does harm where it is read
    made.rmdir()
    cache.chmod(0o777)
    found = run_kernel(private, NUMBA_CACHE_DIR=str(cache))
    assert not made.exists()
    assert found.stdout == "1 0\n"
    assert found.stderr.count("\n") == 1
    assert f"{cache} can be written by others" in found.stderr
    assert "Set NUMBA_CACHE_DIR" in found.stderr


def test_an_unsafe_folder_of_the_module_gives_way_to_the_cache_of_the_user(private: Path) -> None:
    (private / "__pycache__").mkdir()
    (private / "__pycache__").chmod(0o777)
    found = run_kernel(private)
    assert (found.stdout, found.stderr) == ("1 0\n", "")
    assert run_kernel(private).stdout == "1 1\n"
    assert not list((private / "__pycache__").iterdir())
    assert list((private / "home").rglob("*.nbi"))


def test_one_line_says_that_no_folder_is_safe(private: Path) -> None:
    (private / "home").mkdir()
    for folder in ("__pycache__", "home"):
        (private / folder).mkdir(exist_ok=True)
        (private / folder).chmod(0o777)
    found = run_kernel(private)
    assert found.stdout == "1 0\n"
    assert found.stderr.count("\n") == 1
    assert f"{private}/__pycache__ can be written by others" in found.stderr


def test_locators_from_the_environment_do_not_go_around_the_check(private: Path) -> None:
    cache = private / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    run_kernel(
        private, NUMBA_CACHE_DIR=str(cache), NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator"
    )
    assert not list(cache.iterdir())


@pytest.mark.parametrize(
    ("mode", "intruder"),
    [(0o700, False), (0o755, False), (0o757, True), (0o1777, True)],
)
def test_a_folder_that_others_can_write_is_not_safe(
    tmp_path: Path, mode: int, intruder: bool
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    expected = f"{folder} can be written by others" if intruder else None
    assert find_intruder(str(folder)) == expected


@pytest.mark.parametrize(("mode", "intruder"), [(0o777, True), (0o1777, False)])
def test_a_parent_may_be_written_by_others_if_it_is_sticky(
    tmp_path: Path, mode: int, intruder: bool
) -> None:
    (tmp_path / "parent" / "child").mkdir(parents=True)
    (tmp_path / "parent").chmod(mode)
    assert bool(find_intruder(str(tmp_path / "parent" / "child"))) == intruder
    assert bool(find_intruder(str(tmp_path / "parent" / "not there"))) == intruder


def test_links_are_followed_and_every_folder_on_the_way_is_judged(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    own.mkdir()
    (shared / "to_own").symlink_to(own)  # others can make it lead elsewhere
    (own / "to_own").symlink_to(shared / "to_own")
    (own / "relative").symlink_to("../shared/../own")
    (own / "loop").symlink_to("loop")
    shared.chmod(0o777)
    expected = f"{shared} can be written by others"
    assert find_intruder(str(shared / "to_own")) == expected
    assert find_intruder(str(own / "to_own")) == expected
    assert find_intruder(str(own / "relative")) == expected
    assert find_intruder(str(own / ".." / "own" / ".")) is None
    assert "loop" in str(find_intruder(str(own / "loop")))


def test_a_relative_path_begins_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared" / "cache").mkdir(parents=True)
    (tmp_path / "shared").chmod(0o777)
    monkeypatch.chdir(tmp_path / "shared")
    assert find_intruder("cache") == f"{tmp_path / 'shared'} can be written by others"


def test_files_of_the_cache_are_judged_too(tmp_path: Path) -> None:
    (tmp_path / "module.pyc").touch()
    (tmp_path / "module.pyc").chmod(0o666)
    own, shared, link = (tmp_path / f"{name}.nbi" for name in ("own", "shared", "link"))
    own.touch()
    assert find_intruder(str(tmp_path), suffixes=(".nbi",)) is None
    link.symlink_to(own)
    assert find_intruder(str(tmp_path), suffixes=(".nbi",)) == f"{link} is not a regular file"
    link.unlink()
    shared.touch()
    shared.chmod(0o666)
    tmp_path.chmod(0o755)
    expected = f"{shared} can be written by others"
    assert find_intruder(str(tmp_path), suffixes=(".nbi",)) == expected
    tmp_path.chmod(0o700)  # nobody else can reach the file
    assert find_intruder(str(tmp_path), suffixes=(".nbi",)) is None


@as_root
def test_what_belongs_to_another_user_is_not_safe(tmp_path: Path) -> None:
    folder, file, link = tmp_path / "folder", tmp_path / "own" / "a.nbi", tmp_path / "link"
    folder.mkdir()
    file.parent.mkdir()
    file.touch()
    link.symlink_to(file.parent)
    for path in (folder, file, link):
        os.lchown(path, OTHER_USER, OTHER_USER)
    assert find_intruder(str(folder)) == f"{folder} belongs to user {OTHER_USER}"
    assert find_intruder(str(link)) == f"the link {link} belongs to user {OTHER_USER}"
    found = find_intruder(str(file.parent), suffixes=(".nbi",))
    assert found == f"{file} belongs to user {OTHER_USER}"


@as_root
def test_a_group_with_other_members_are_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    os.chown(tmp_path, 0, 0)  # root's group, which has no other member
    assert find_intruder(str(tmp_path)) is None
    os.chown(tmp_path, 0, OTHER_USER)
    assert find_intruder(str(tmp_path)) == f"{tmp_path} can be written by others"
