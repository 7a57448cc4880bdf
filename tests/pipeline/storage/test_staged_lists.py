from pathlib import Path

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.staged_lists import read_staged_list, write_staged_list
from pipeline.storage.staging import StagedFile


def staged(path: str) -> StagedFile:
    return StagedFile(path=path, bytes=1, rows=2, sha256="x")


def test_staged_files_are_sorted_by_order_and_path(tmp_path: Path) -> None:
    path = str(tmp_path / "list.json")
    files = [(2, staged("a")), (0, staged("c")), (0, staged("b")), (10, staged("0"))]
    write_staged_list(BeamFiles(), path, files)
    assert read_staged_list(BeamFiles(), path) == [
        staged("b"),
        staged("c"),
        staged("a"),
        staged("0"),
    ]
