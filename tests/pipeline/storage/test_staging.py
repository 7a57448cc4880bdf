"""A scratch file is staged: moved on a local disk, copied to another filesystem."""

import os
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import FileInfo
from pipeline.storage.staging import ScratchFile, stage_files


def test_a_scratch_file_is_moved_on_a_local_disk(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "a.parquet")
    scratch = ScratchFile(path)
    inode = os.stat(scratch.name).st_ino
    with open(scratch.name, "wb") as writer:
        scratch.opened()
        writer.write(b"rows")
    assert scratch.size() == 4
    staged = scratch.stage(BeamFiles(), rows=3)
    assert os.listdir(tmp_path / "new") == ["a.parquet"]
    assert os.stat(path).st_ino == inode
    assert (staged.path, staged.bytes, staged.rows) == (path, 4, 3)
    assert staged.sha256 == BeamFiles().digest(path)


class Elsewhere(BeamFiles):
    """A filesystem with a scheme of its own, over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, path: str):  # type: ignore[no-untyped-def]
        return FileSystems.create(path.replace("far://", f"{self.folder}/"))


def test_a_scratch_file_for_another_filesystem_is_copied_and_deleted(tmp_path: Path) -> None:
    path = "far://bucket/a.parquet"
    scratch = ScratchFile(path)
    assert Path(scratch.name).suffix == ".parquet"
    with open(scratch.name, "wb") as writer:
        scratch.opened()
        assert not Path(scratch.name).exists()
        writer.write(b"rows")
    staged = scratch.stage(Elsewhere(tmp_path), rows=3)
    assert (tmp_path / "bucket/a.parquet").read_bytes() == b"rows"
    assert (staged.path, staged.bytes, staged.rows) == (path, 4, 3)
    assert staged.sha256 == BeamFiles().digest(str(tmp_path / "bucket/a.parquet"))


def test_staging_joins_local_files_into_one(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b""), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in "abc"]
    staged = stage_files(BeamFiles(), paths, path=str(tmp_path / "new/joined"), rows=7)
    assert (tmp_path / "new/joined").read_bytes() == b"onetwo"
    assert (staged.bytes, staged.rows) == (6, 7)
    assert BeamFiles().match(staged.path) == [FileInfo(path=staged.path, bytes=6)]
    assert staged.sha256 == BeamFiles().digest(staged.path)
    assert staged.as_output() == {
        "file": staged.path,
        "bytes": 6,
        "rows": 7,
        "sha256": staged.sha256,
    }
