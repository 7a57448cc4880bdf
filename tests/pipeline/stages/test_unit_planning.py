import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.dividing import divide_files
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.reading.units import Unit, group_units
from pipeline.stages.unit_planning import ROW_COUNTS, check_inputs, plan_units
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines

FILES = BeamFiles()


def check(*inputs: InputConfig, columns: ColumnsConfig | None = None) -> None:
    corpus = CorpusConfig(inputs=inputs, columns=columns or ColumnsConfig())
    check_inputs(FILES, find_input_files(FILES, corpus), corpus)


def test_inputs_with_their_columns_pass(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    (tmp_path / "b.jsonl").write_text('{"text": "x"}\n')
    check(
        InputConfig(path=str(tmp_path / "a.csv"), format="csv"),
        InputConfig(path=str(tmp_path / "b.jsonl")),
    )


def test_a_missing_column_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "b.parquet")
    inputs = (
        InputConfig(path=str(tmp_path / "a.csv"), format="csv"),
        InputConfig(path=str(tmp_path / "b.parquet"), format="parquet"),
    )
    with pytest.raises(ConfigError, match=r"b\.parquet: expected a column 'text', got 'body'"):
        check(*inputs)


def test_a_file_that_cannot_be_opened_is_left_to_the_run_which_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}\n')
    corpus = CorpusConfig(inputs=(InputConfig(path=str(path)),))
    inputs = find_input_files(FILES, corpus)
    path.unlink()
    check_inputs(FILES, inputs, corpus)


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divides files as if they were large."""
    monkeypatch.setitem(divide_files.__kwdefaults__, "part_bytes", 100)
    monkeypatch.setitem(group_units.__kwdefaults__, "unit_bytes", 150)


def plan(tmp_path: Path, *inputs: InputConfig, workers: int = 2) -> list[Unit]:
    corpus = CorpusConfig(inputs=inputs)
    found = find_input_files(FILES, corpus)
    flags = [f"--direct_num_workers={workers}"]
    return plan_units(found, beam_options=flags, files=FILES, staging=str(tmp_path))


@pytest.mark.usefixtures("small_units")
def test_divided_files_are_read_whole_and_their_rows_numbered(tmp_path: Path) -> None:
    inputs = []
    for name, rows in (("a", 40), ("b", 1), ("c", 25)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"text": f"{name} {i}"}) + "\n\n" for i in range(rows)))
        inputs.append(InputConfig(path=str(path)))
    pq.write_table(pa.table({"text": ["p 0", "p 1"]}), tmp_path / "p.parquet", row_group_size=1)
    inputs.append(InputConfig(path=str(tmp_path / "p.parquet"), format="parquet"))

    units = plan(tmp_path, *inputs)
    assert len(units) > 5
    rows = []
    for unit in units:
        for part in unit.parts:
            with FILES.open(part.path) as stream:
                for batch in read_part(stream, part, corpus=CorpusConfig()):
                    rows += batch.documents.select(
                        ["text", "source_file", "source_row"]
                    ).to_pylist()
    assert [(row["text"], row["source_file"], row["source_row"]) for row in rows] == [
        (f"{name} {i}", f"{name}.{suffix}", i)
        for name, suffix, count in (
            ("a", "jsonl", 40),
            ("b", "jsonl", 1),
            ("c", "jsonl", 25),
            ("p", "parquet", 2),
        )
        for i in range(count)
    ]


@pytest.mark.usefixtures("small_units")
def test_one_worker_reads_large_files_whole(tmp_path: Path) -> None:
    for name in ("a", "b"):
        rows = [{"text": f"{name} {i}"} for i in range(40)]
        write_json_lines(tmp_path / f"{name}.jsonl", rows)
    units = plan(tmp_path, InputConfig(path=str(tmp_path / "*.jsonl")), workers=1)
    assert [
        [(part.source_file, part.start, part.end) for part in unit.parts] for unit in units
    ] == [
        [("a.jsonl", 0, None)],
        [("b.jsonl", 0, None)],
    ]
    assert not (tmp_path / ROW_COUNTS).exists()


def test_small_files_need_no_counting(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "x"}\n')
    [unit] = plan(tmp_path, InputConfig(path=str(tmp_path / "*.jsonl")))
    assert [part.source_file for part in unit.parts] == ["a.jsonl", "b.jsonl"]
    assert not (tmp_path / ROW_COUNTS).exists()
