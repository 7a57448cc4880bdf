"""One corpus for each date, a tiny model, and scoring runs in this process."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, Config, CorpusConfig
from pipeline.nights.partition import SUCCESS, Partition
from pipeline.stages.score import ScoringRun, score
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import Files
from tests.json_lines import write_json_lines

DATE = "2026-11-20"
WORDS = ("good", "bad", "so", "poison", "unheard")


def make_rows(rows: int, *, first: int = 0) -> list[dict[str, str]]:
    """Documents of 1 to 9 words; no two texts are equal."""
    return [
        {
            "id": f"d{row}",
            "text": " ".join([*(WORDS[(row + at) % 5] for at in range(row % 9)), f"n{row}"]),
        }
        for row in range(first, first + rows)
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nights:
    """Corpora below `folder/corpus/<date>/`, an output, and how to score them."""

    folder: Path
    model: str

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def partition(self, date: str = DATE) -> Partition:
        return Partition(output=str(self.output), date=date)

    def write(self, rows: list[dict[str, str]], *, date: str = DATE, shards: int = 1) -> None:
        """The corpus of a date, in place of what it had."""
        folder = self.folder / "corpus" / date
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for shard in range(shards):
            write_json_lines(folder / f"{shard}.jsonl", rows[shard::shards])

    def config(self, date: str = DATE, **corpus: Any) -> Config:
        path = str(self.folder / "corpus" / date / "*.jsonl")
        return Config(
            corpus=CorpusConfig(
                inputs=(InputConfig(path=path),), columns=ColumnsConfig(id="id"), **corpus
            )
        )

    def score(
        self, *, date: str = DATE, files: Files | None = None, config: Config | None = None,
        **options: Any,
    ) -> ScoringRun:  # fmt: skip
        return score(
            config or self.config(date),
            model=self.model,
            partition=self.partition(date),
            beam_options=[],
            files=files or BeamFiles(),
            **options,
        )

    def table(self, date: str = DATE) -> pa.Table:
        """The partition's rows in the order of their ids, without the run's name."""
        return read_rows(Path(self.partition(date).predictions))

    def manifests(self) -> list[dict[str, Any]]:
        """Of all runs, oldest first."""
        paths = sorted((self.output / "runs").glob("*/manifest.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def read_rows(folder: Path) -> pa.Table:
    """The rows of a partition by id, read as `_SUCCESS` lists them; asserts that it is complete."""
    success = json.loads((folder / SUCCESS).read_text(encoding="utf-8"))
    listed = {item["file"]: item["bytes"] for item in success["files"]}
    present = {path.name: path.stat().st_size for path in folder.iterdir()}
    # A run that publishes now may have taken `_SUCCESS` away since it was read above.
    assert SUCCESS in present
    assert present == listed | {SUCCESS: present[SUCCESS]}
    table = pa.concat_tables(pq.ParquetFile(folder / name).read() for name in listed)
    assert table.num_rows == success["rows"]
    assert set(table.column("run_id").to_pylist()) <= {success["run_id"]}
    return table.sort_by("document_id").drop_columns(["run_id"]).combine_chunks()


def left_behind(output: Path) -> set[str]:
    """The files that belong neither to a partition nor to a finished run."""
    finished = {"manifest.json", "report.html", SUCCESS}
    return {
        path.relative_to(output).as_posix()
        for path in output.rglob("*")
        if path.is_file() and path.name not in finished and not path.name.startswith("part-")
    }
