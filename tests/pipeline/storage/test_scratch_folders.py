import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.storage import scratch_folders
from pipeline.storage.scratch_folders import PREFIX, scratch_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, as for a process that has made none."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch_folders._sweep.cache_clear()
    return tmp_path


def start(place: Path, code: str) -> "subprocess.Popen[str]":
    """A process that runs code and then waits to be killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print('ready', flush=True); import time; time.sleep(60)"],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


HOLD = (
    "from pipeline.storage.scratch_folders import scratch_folder; "
    "held = scratch_folder('test'); open(held.__enter__() + '/file', 'w').close()"
)


def test_a_scratch_folder_is_deleted_at_the_end_of_the_block(place: Path) -> None:
    with scratch_folder("test") as folder:
        assert Path(folder).parent == place
        assert Path(folder).stat().st_mode & 0o077 == 0
        (Path(folder) / "below").mkdir()
    assert not list(place.iterdir())


def test_what_a_killed_process_left_is_deleted_by_the_next_and_what_a_living_one_uses_is_not(
    place: Path,
) -> None:
    killed, living = start(place, HOLD), start(place, HOLD)
    try:
        assert len(list(place.iterdir())) == 2
        kill(killed)
        assert len(list(place.iterdir())) == 2
        with scratch_folder("own") as folder:
            found = {path.name for path in place.iterdir()} - {Path(folder).name}
            assert len(found) == 1
            assert (place / found.pop() / "file").exists()
    finally:
        kill(living)


def test_only_folders_of_scratch_of_this_user_are_deleted(place: Path) -> None:
    left = {f"{PREFIX}file", f"{PREFIX}link", "limelight.00000000.of-another-machine", "other"}
    (place / f"{PREFIX}file").touch()
    for name in ("limelight.00000000.of-another-machine", "other", f"{PREFIX}abandoned"):
        (place / name).mkdir()
    (place / f"{PREFIX}link").symlink_to(place / "other")
    with scratch_folder("own"):
        pass
    assert {path.name for path in place.iterdir()} == left


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, []

    def make_and_lose(*args: object, **values: str) -> str:
        made.append(make(**values))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose)
    with scratch_folder("test") as folder:
        assert len(made) == 2
        assert Path(folder).is_dir()


def test_all_temporary_files_of_a_killed_command_are_deleted_by_the_next(place: Path) -> None:
    gather = (
        "from pipeline.storage.scratch_folders import gather_temporary_files; "
        "gather_temporary_files(); import tempfile; tempfile.mkdtemp(prefix='of-a-library'); "
        "tempfile.mkstemp()"
    )
    kill(start(place, gather))
    [folder] = place.iterdir()
    assert len(list(folder.iterdir())) == 2
    subprocess.run(
        [sys.executable, "-c", gather], env={**os.environ, "TMPDIR": str(place)}, check=True
    )
    assert not list(place.iterdir())
