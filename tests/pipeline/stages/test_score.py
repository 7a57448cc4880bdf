"""A scoring run publishes a complete partition, or leaves the date as it was before."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq
import pytest

from model.config import ConfigError
from pipeline.nights.lease import LeaseError, hold_lease
from pipeline.runners.execution import RunError
from pipeline.stages import publishing
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights, left_behind, make_rows


@pytest.fixture
def nights(tmp_path: Path, model: str) -> Nights:
    made = Nights(folder=tmp_path, model=model)
    made.write(make_rows(20), shards=2)
    return made


def test_rerunning_with_other_shards_leaves_one_runs_rows(nights: Nights) -> None:
    nights.score()
    expected = nights.table()
    assert expected.column("document_id").to_pylist() == sorted(f"d{row}" for row in range(20))
    for shards in (5, 1, 3, 4):
        nights.write(make_rows(20), shards=shards)
        run = nights.score()
        assert nights.table().equals(expected)
        assert run.manifest["rows"] == {"read": 20, "used": 20, "rejected": {}}
    assert left_behind(nights.output) == set()
    assert [manifest["status"] for manifest in nights.manifests()] == ["done"] * 5


def test_a_complete_date_is_replaced_skipped_or_refused(nights: Nights) -> None:
    first = nights.score(if_exists="fail")
    assert not first.skipped
    nights.write(make_rows(3))
    skipped = nights.score(if_exists="skip")
    assert skipped.skipped
    assert skipped.manifest["run_id"] == first.manifest["run_id"]
    with pytest.raises(RunError, match="expected no complete partition, got that of run"):
        nights.score(if_exists="fail")
    assert nights.table().num_rows == 20
    assert len(nights.manifests()) == 1
    nights.score()
    assert nights.table().num_rows == 3


def test_a_date_that_lost_a_file_is_not_skipped(nights: Nights) -> None:
    nights.score()
    [path] = Path(nights.partition().predictions).glob("part-*")
    path.unlink()
    assert not nights.score(if_exists="skip").skipped
    assert nights.table().num_rows == 20


def test_a_date_that_another_run_holds_is_refused(nights: Nights) -> None:
    with hold_lease(BeamFiles(), nights.partition(), run_id="other"):
        with pytest.raises(LeaseError, match="expected no other run to work on 2026-11-20"):
            nights.score()
        nights.write(make_rows(2), date="2026-11-21")
        nights.score(date="2026-11-21")
    assert not Path(nights.partition().predictions).exists()


def test_an_input_without_a_row_is_an_error(nights: Nights) -> None:
    nights.write([])
    with pytest.raises(ConfigError, match=r"0\.jsonl: expected rows, got none in 1 input file"):
        nights.score()
    assert [manifest["status"] for manifest in nights.manifests()] == ["failed"]
    assert not Path(nights.partition().predictions).exists()


def test_too_many_rejections_publish_nothing_and_keep_the_rejections(nights: Nights) -> None:
    nights.score()
    before = nights.table()
    nights.write([*make_rows(17), *({"id": f"bad{row}"} for row in range(3))])
    with pytest.raises(RunError, match=r"15\.00% of the rows were rejected"):
        nights.score()
    assert nights.table().equals(before)
    failed = nights.manifests()[-1]
    assert failed["status"] == "failed"
    assert "15.00% of the rows" in failed["error"]
    assert {Path(path).parent.name for path in left_behind(nights.output)} == {"rejected"}
    nights.write(make_rows(2))
    nights.score()
    assert left_behind(nights.output) == set()


class BrokenFiles(BeamFiles):
    """Raises `error`, `times` times, in the method `when` for paths that contain `path`."""

    failures = 0  # of all copies that workers make

    def __init__(self, when: str, path: str, error: OSError, *, times: int = 1_000) -> None:
        self.when, self.path, self.error, self.times = when, path, error, times
        BrokenFiles.failures = 0

    def _meet(self, when: str, path: str) -> None:
        if when == self.when and self.path in path and BrokenFiles.failures < self.times:
            BrokenFiles.failures += 1
            raise self.error

    def open(self, path: str) -> BinaryIO:
        self._meet("open", path)
        return super().open(path)

    def create(self, path: str) -> BinaryIO:
        self._meet("create", path)
        return super().create(path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for source, target in moves:
            self._meet("move", target)
            super().move([(source, target)])


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ("move", "staging/predictions/"),
        pytest.param("create", "staging/rejected.json", marks=pytest.mark.distributed),
        pytest.param("create", "staging/counts.json", marks=pytest.mark.distributed),
        ("move", "predictions/dt="),
        pytest.param("move", "_SUCCESS", marks=pytest.mark.distributed),
    ],
)
def test_a_write_error_is_a_failed_run_that_a_rerun_repairs(
    nights: Nights, when: str, path: str
) -> None:
    nights.score()
    expected = nights.table()
    full = BrokenFiles(when, path, OSError(28, "No space left on device"))
    with pytest.raises((RunError, OSError), match="No space left on device"):
        nights.score(files=full)
    assert BrokenFiles.failures
    # Not the last one: two runs of one second have no order.
    [failed] = [found for found in nights.manifests() if found["status"] == "failed"]
    assert "No space left on device" in failed["error"]
    assert left_behind(nights.output) == set()
    nights.score()
    assert nights.table().equals(expected)


def test_a_failed_run_leaves_nothing_on_its_workers_disk(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    full = BrokenFiles("move", "staging/predictions/", OSError(28, "No space left on device"))
    with pytest.raises(RunError, match="No space left on device"):
        nights.score(files=full)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_file_that_fails_to_open_twice_and_then_works(nights: Nights) -> None:
    flaky = BrokenFiles("open", "1.jsonl", OSError(5, "Input/output error"), times=2)
    nights.score(files=flaky)
    assert BrokenFiles.failures == 2
    assert nights.table().num_rows == 20


def test_an_input_that_vanishes_midway_is_a_failed_run(nights: Nights) -> None:
    class VanishingFiles(BeamFiles):
        def create(self, path: str) -> BinaryIO:
            if path.endswith("manifest.json.new"):  # the inputs are listed by now
                (nights.folder / "corpus/2026-11-20/1.jsonl").unlink(missing_ok=True)
            return super().create(path)

    nights.score()
    before = nights.table()
    with pytest.raises((RunError, ConfigError), match=r"1\.jsonl"):
        nights.score(files=VanishingFiles())
    assert nights.table().equals(before)
    assert left_behind(nights.output) == set()


def test_an_error_in_the_page_does_not_fail_a_published_run(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(report: object) -> str:
        raise ValueError("no page\ntoday")

    monkeypatch.setattr(publishing, "render_run_report", fail)
    run = nights.score()
    assert run.manifest["status"] == "done"
    [manifest] = nights.manifests()
    assert (manifest["status"], manifest["error"]) == (
        "done",
        "report.html was not written: no page today",
    )
    assert nights.table().num_rows == 20
    assert left_behind(nights.output) == set()


def test_a_missing_staged_file_publishes_nothing(nights: Nights) -> None:
    class SweptFiles(BeamFiles):
        def create(self, path: str) -> BinaryIO:
            if path.endswith("/counts.json"):
                for staged in nights.output.glob("runs/*/staging/predictions/*"):
                    staged.unlink()
            return super().create(path)

    nights.score()
    before = nights.table()
    with pytest.raises(RunError, match=r"expected the [\d,]+ bytes that were written, got no file"):
        nights.score(files=SweptFiles())
    assert nights.table().equals(before)
    assert left_behind(nights.output) == set()


class RetriedFiles(BeamFiles):
    """Writes every file of rejections twice, as a runner does that retries a bundle."""

    def create(self, path: str) -> BinaryIO:
        if "/staging/rejected/" in path:
            with super().create(path.replace(".parquet", "-first.parquet")) as stream:
                stream.write(b"of the first attempt")
        return super().create(path)


@pytest.mark.parametrize("allowed", [0.5, 0])
def test_rejections_of_a_retried_bundle_are_kept_once(nights: Nights, allowed: float) -> None:
    nights.write([*make_rows(19), {"id": "bad"}])
    config = nights.config(max_rejected_fraction=allowed)
    if allowed == 0.5:
        nights.score(files=RetriedFiles(), config=config)
        assert left_behind(nights.output) == set()
        rejected = Path(nights.partition().rejected)
    else:
        with pytest.raises(RunError, match="of the rows were rejected"):
            nights.score(files=RetriedFiles(), config=config)
        [rejected] = nights.output.glob("runs/*/staging/rejected")
    [path] = rejected.iterdir()
    assert pq.read_table(path).column("reason").to_pylist() == ["missing_column"]


def test_files_of_dead_runs_of_the_date_are_deleted(nights: Nights) -> None:
    def leave(run_id: str, **manifest: object) -> Path:
        folder = nights.output / "runs" / run_id
        (folder / "staging" / "predictions").mkdir(parents=True)
        (folder / "staging" / "predictions" / "x.parquet").write_text("half")
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    dead = leave("dead", date="2026-11-20", status="running")
    other = leave("other", date="2026-11-19", status="running")
    torn = leave("torn", date=0)
    (torn / "manifest.json").write_text("{")
    killed_twice, beginning = (nights.output / "runs" / name for name in ("twice", "beginning"))
    for folder in (killed_twice, beginning):  # no manifest yet
        folder.mkdir()
        (folder / "manifest.json.new").write_text("{")
    claim = Path(nights.partition("2026-11-19").claim("beginning"))
    claim.parent.mkdir()
    claim.write_text("")
    nights.score()
    assert not (killed_twice / "manifest.json.new").exists()
    assert (beginning / "manifest.json.new").exists()
    assert not (dead / "staging").exists()
    manifest = json.loads((dead / "manifest.json").read_text())
    assert (manifest["status"], manifest["error"]) == ("failed", "it was killed")
    assert (other / "staging").exists()  # may be at work: its date has a lease of its own
    assert (torn / "staging").exists()


def test_a_run_that_was_taken_over_publishes_nothing(nights: Nights) -> None:
    class TakenFiles(BeamFiles):
        """The claim goes as soon as the rows are counted."""

        def create(self, path: str) -> BinaryIO:
            if path.endswith("counts.json"):
                self.delete([info.path for info in self.match(nights.partition().claim("*"))])
            return super().create(path)

        def move(self, moves: Iterable[tuple[str, str]]) -> None:
            listed: Sequence[tuple[str, str]] = list(moves)
            assert not [target for _, target in listed if "predictions/dt=" in target]
            super().move(listed)

    with pytest.raises(LeaseError, match="another run took over"):
        nights.score(files=TakenFiles())
    assert [manifest["status"] for manifest in nights.manifests()] == ["failed"]
