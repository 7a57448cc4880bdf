"""The whole job on the generated corpus, run by the first command of README."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.check_predictions import check_partition
from tests.end_to_end.commands import Finished, run


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(output) -> Finished:
    return run("demo", "--output", output)


def _corpus(folder: Path) -> tuple[dict[str, str], int]:
    """The texts that can be scored, by id, and the number of all rows."""
    texts, rows = {}, 0
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            rows += 1
            try:
                row = json.loads(line)
                if row["text"].strip():
                    texts[row["id"]] = row["text"]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return texts, rows


def test_the_summary_says_what_was_done(first):
    assert first.code == 0, first.err
    assert float(re.search(r"attention +([\d.]+)%", first.out)[1]) > 50
    assert float(re.search(r"accuracy +([\d.]+)%", first.out)[1]) > 90
    assert "1,000 read, 996 scored, 4 rejected" in first.out
    assert "(prepared)" in first.out


def test_every_prediction_has_what_the_schema_promises(first, output):
    texts, rows = _corpus(output / "tonight")
    [partition] = (output / "predictions").glob("dt=*")
    checked = check_partition(partition, texts)
    assert (checked["rows"], rows) == (996, 1_000)


def test_bad_rows_are_in_rejected_with_their_reason(first, output):
    table = pq.read_table(output / "rejected")
    assert table.num_rows == 4
    assert set(table.column("reason").to_pylist()) == {
        "empty_text",
        "malformed_row",
        "missing_column",
        "not_utf8",
    }


def test_the_model_directory_is_complete(first, output):
    model = output / "models" / "demo" / "1"
    metrics = json.loads((model / "metrics.json").read_text())
    assert {"accuracy", "macro_f1", "loss", "rows"} <= set(metrics["test"])
    manifest = json.loads((model / "manifest.json").read_text())
    on_disk = {path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == on_disk - {"manifest.json"}
    assert "limelight demo" in (model / "model_card.md").read_text()


def test_the_report_is_one_page_that_loads_nothing(first, output):
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_second_run_reuses_the_dataset_and_replaces_the_partition(first, output):
    [partition] = (output / "predictions").glob("dt=*")
    before = {path.name for path in partition.iterdir()}
    second = run("demo", "--output", output)
    assert second.code == 0, second.err
    assert "(reused, same fingerprint)" in second.out
    assert "models/demo/2" in second.out
    after = {path.name for path in partition.iterdir()}
    assert before & after == {"_SUCCESS"}
    texts, _ = _corpus(output / "tonight")
    check_partition(partition, texts)


def test_explain_evaluate_and_report_use_the_model(first, output, tmp_path):
    model = output / "models" / "demo" / "1"
    explained = run("explain", "--model", model, "The parcel is lost.\x1b[31m")
    assert explained.code == 0, explained.err
    assert "parcel" in explained.out
    assert "\x1b[31m" not in explained.out

    metrics = tmp_path / "metrics.json"
    evaluated = run(
        "evaluate", "--model", model, "--input", output / "tonight" / "*.jsonl",
        "--output", metrics, "--set", f"workspace={tmp_path}",
    )  # fmt: skip
    assert evaluated.code == 0, evaluated.err
    assert json.loads(metrics.read_text())["rows"] == 996

    page = tmp_path / "page.html"
    reported = run("report", "--model", model, "--to", page)
    assert reported.code == 0, reported.err
    assert page.read_text() == (model / "report.html").read_text()


def test_too_many_rejections_publish_nothing(first, output, tmp_path):
    finished = run(
        "score", "--model", output / "models" / "demo" / "1",
        "--input", output / "tonight" / "*.jsonl", "--output", tmp_path,
        "--set", "corpus.max_rejected_fraction=0.001",
    )  # fmt: skip
    assert finished.code == 1
    assert "Nothing was published: 0.40% of the rows were rejected" in finished.error_line
    assert not (tmp_path / "predictions").exists()
    [left] = (tmp_path / "runs").glob("*/staging/rejected/*.parquet")
    assert pq.read_table(left).num_rows == 4


def test_a_dry_run_writes_nothing(first, output, tmp_path):
    finished = run(
        "score", "--model", output / "models" / "demo" / "1", "--dry-run",
        "--input", output / "tonight" / "*.jsonl", "--output", tmp_path / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    assert finished.out.count("would read") == 3
    assert not (tmp_path / "out").exists()
