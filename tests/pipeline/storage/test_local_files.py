import os
import socket
import threading
from pathlib import Path

import pytest

from pipeline.storage.local_files import IrregularFileError, open_local


def test_files_and_links_to_them_are_opened(tmp_path: Path) -> None:
    with open_local(tmp_path / "a", new=True) as sink:
        sink.write(b"content")
    (tmp_path / "link").symlink_to("a")
    with open_local(tmp_path / "link") as stream:
        assert stream.read() == b"content"
    with pytest.raises(FileNotFoundError):
        open_local(tmp_path / "b")
    with pytest.raises(IsADirectoryError):
        open_local(tmp_path)


@pytest.mark.parametrize("new", [False, True])
def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("pipe", "link")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for path, kind in (
            ("pipe", "a FIFO"),
            ("link", "a FIFO"),
            ("socket", "a socket"),
            ("/dev/zero", "a device"),
        ):
            if new and kind == "a device":  # such as /dev/null
                continue
            with pytest.raises(IrregularFileError) as raised:
                open_local(path, new=new)
            assert raised.value.strerror == kind
            assert raised.value.filename == path


def test_a_pipe_that_takes_the_place_of_a_file_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    looked_at = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda path: looked_at)
    thread = threading.Thread(target=open_local, args=(tmp_path / "pipe",), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
