"""Tables as inputs of whole runs; a fake service gives their rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError

from model.config import ConfigError
from pipeline.cli.printing import print_estimate, print_plan
from pipeline.config.sections import Config
from pipeline.runners.execution import RunError
from pipeline.stages.evaluate import evaluate
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.prepare import dataset_fingerprint
from pipeline.stages.score import score
from pipeline.storage.files import read_json
from pipeline.transforms import read_table
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.stages.small_corpus import FILES, ROWS, rejections_in, run, small_config
from tests.pipeline.tiny_model import write_model

TABLE = "my-project.tickets.all"
Serve = Callable[[Sequence[dict[str, Any]]], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Sets the rows that the service answers with."""

    def set_rows(rows: Sequence[dict[str, Any]]) -> None:
        monkeypatch.setattr(google.auth, "default", lambda: ("credentials", "project"))
        monkeypatch.setattr(read_table, "rows_of", lambda _: beam.Create(list(rows)))

    return set_rows


def table_config(workspace: Path, *overrides: str) -> Config:
    return small_config(workspace, {"format": "bigquery", "table": TABLE}, *overrides)


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "table-" in str(path)]


def test_a_table_is_prepared_once_whatever_order_its_rows_come_in(
    tmp_path: Path, serve: Serve
) -> None:
    rows = [{"label": None, **row} for row in [*ROWS, {"id": "null", "text": None}]]
    # Two rows of one id: in any order the same one is used.
    rows.append({"id": "t7", "text": "another text", "label": "other"})
    serve(rows)
    config = table_config(tmp_path / "runs")
    dataset = run(config)
    assert {row["document_id"]: row["reason"] for row in rejections_in(dataset.files)} == {
        "blank": "empty_text",
        "null": "empty_text",
        "bare": "unknown_label",
        "t3": "duplicate_id",
        "t7": "duplicate_id",
    }
    manifest = read_json(FILES, dataset.files.manifest)
    [account] = manifest["inputs"]
    assert account.pop("bytes") > 0
    assert account == {
        "file": f"bigquery:{TABLE}",
        "rows_read": len(rows),
        "rows_used": len(rows) - 5,
        "rows_rejected": 5,
    }
    assert left_over(tmp_path) == []

    serve(rows[::-1])
    again = run(config)
    assert again.reused
    assert again.files.folder == dataset.files.folder
    assert left_over(tmp_path) == []

    serve([*rows[1:], {**rows[0], "text": "changed"}])
    with opened_inputs(
        config.corpus, scratch=str(tmp_path / "scratch"), beam_options=[], files=FILES
    ) as inputs:
        changed = dataset_fingerprint(config, inputs, files=FILES)
    assert changed != Path(dataset.files.folder).name


def test_a_table_without_rows_or_the_column_is_refused_and_leaves_no_files(
    tmp_path: Path, serve: Serve
) -> None:
    serve([])
    with pytest.raises(ConfigError, match=f"bigquery:{TABLE}: expected rows, got none"):
        run(table_config(tmp_path))
    serve([{"id": "1", "body": "x"}])
    with pytest.raises(ConfigError, match=f"bigquery:{TABLE}: expected a column 'text', got 'id'"):
        run(table_config(tmp_path))
    assert left_over(tmp_path) == []


def test_the_files_of_a_table_are_deleted_when_the_block_fails(
    tmp_path: Path, serve: Serve
) -> None:
    serve(ROWS)

    def fail() -> None:
        with opened_inputs(
            table_config(tmp_path).corpus, scratch=str(tmp_path), beam_options=[], files=FILES
        ) as inputs:
            assert {item.info.path for item in inputs} < set(map(str, left_over(tmp_path)))
            assert {item.name for item in inputs} == {f"bigquery:{TABLE}"}
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert left_over(tmp_path) == []


def test_an_error_of_the_service_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    def refuse(row: object) -> None:
        raise PermissionError("403 Access Denied: bigquery.tables.getData")

    serve([])
    monkeypatch.setattr(read_table, "rows_of", lambda _: _Failing(refuse))
    with pytest.raises(RunError, match=r"^the pipeline failed: PermissionError: 403 Access"):
        run(table_config(tmp_path))


def test_missing_credentials_fail_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    serve(ROWS)
    query = 'corpus.inputs=[{format: bigquery, query: "SELECT 1"}]'
    with pytest.raises(ConfigError, match=r"bigquery:query:\w+: expected a project that pays"):
        run(table_config(tmp_path, query))

    def refuse() -> None:
        raise DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", refuse)
    with pytest.raises(ConfigError, match="expected Google credentials on this machine, got none"):
        run(table_config(tmp_path))


def test_a_table_is_scored_and_its_rows_are_gone_afterwards(tmp_path: Path, serve: Serve) -> None:
    rows = make_rows(30)
    serve([*rows, {"id": "null", "text": None}])
    nights = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    config = table_config(tmp_path / "unused")
    scored = score(
        config,
        model=nights.model,
        partition=nights.partition(),
        beam_options=[],
        files=FILES,
    )
    [account] = scored.manifest["inputs"]
    assert (account["file"], account["rows_read"], account["rows_rejected"]) == (
        f"bigquery:{TABLE}",
        31,
        1,
    )
    assert sorted(nights.table().column("document_id").to_pylist()) == sorted(
        row["id"] for row in rows
    )
    assert left_over(tmp_path) == []


def test_a_table_is_evaluated(tmp_path: Path, serve: Serve) -> None:
    rows = [{**row, "label": ("long", "short")[at % 2]} for at, row in enumerate(make_rows(20))]
    serve(rows)
    model = write_model(tmp_path / "model")
    config = table_config(tmp_path / "runs")
    measured = evaluate(config, model=model, beam_options=[], files=FILES)
    assert (measured.metrics["rows"], measured.rows["read"]) == (20, 20)
    assert left_over(tmp_path) == []


def test_a_dry_run_names_the_table_and_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise AssertionError("a dry run reads no table")

    monkeypatch.setattr(read_table, "rows_of", fail)
    config = table_config(tmp_path / "runs")
    print_plan(config, writes="there")
    print_estimate(config, model="no such model")
    assert f"would read   bigquery:{TABLE}\n" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


class _Failing(beam.PTransform):
    def __init__(self, refuse: Callable[[object], None]) -> None:
        super().__init__()
        self._refuse = refuse

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return root | beam.Create([None]) | beam.Map(self._refuse)
