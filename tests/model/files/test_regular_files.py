import os
import socket
from pathlib import Path

import pytest

from model.config import ConfigError
from model.files.regular_files import read_regular


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert read_regular(tmp_path / "a", limit=3) == b"abc"
    with pytest.raises(ConfigError, match="a: expected at most 2 bytes, got more"):
        read_regular(tmp_path / "a", limit=2)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    (path.parent / "target").write_bytes(b"secret")
    path.symlink_to("target")


def make_broken_link(path: Path) -> None:
    path.symlink_to("nothing")


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    os.chdir(path.parent)  # the name of a socket has at most 108 bytes
    socket.socket(socket.AF_UNIX).bind(path.name)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_folder, "a folder"),
        (make_link, "a link"),
        (make_broken_link, "a link"),
        (make_fifo, "a FIFO"),
        (make_socket, "a socket"),
    ],
)
def test_what_is_no_regular_file_is_refused_by_name(tmp_path, monkeypatch, make, kind) -> None:
    monkeypatch.chdir(tmp_path)  # ends what `make_socket` changes
    make(tmp_path / "a")
    with pytest.raises(ConfigError, match=f"a: expected a regular file, got {kind}"):
        read_regular(tmp_path / "a", limit=10)


def test_a_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="/dev/zero: expected a regular file, got a device"):
        read_regular(Path("/dev/zero"), limit=10)


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "a", limit=10)
