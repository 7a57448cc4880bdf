"""Files that cannot be read to their end: every command names them, and by default fails."""

import dataclasses
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sections import Config, VectorsConfig
from pipeline.corpora.scoring.comparison import Gates
from pipeline.nights.run_table import list_runs
from pipeline.runners.execution import RunError
from pipeline.stages.backfill import backfill
from pipeline.stages.compare import compare
from pipeline.stages.evaluate import evaluate
from pipeline.stages.pilot import estimate_scoring
from pipeline.stages.unlabeled.vectors import learn_vectors
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.nights import DATE, Nights, make_rows
from tests.pipeline.stages.small_corpus import ROWS, run, small_config
from tests.pipeline.tiny_model import LABELS, write_model

FILES = BeamFiles()
GOOD, BEFORE = 30, 10  # rows of the whole files, and of the broken one before its damage
WHY = "expected more gz data, got the end of the file; the rest of its content cannot be read"


def tear(path: Path, rows: list[dict[str, Any]], *, before: int = BEFORE) -> None:
    """Writes rows as a file of gzip that ends in the row after the first `before`."""
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    content = gzip.compress(b"".join(lines), compresslevel=0)
    header = 15  # of gzip, and of the block that is stored as it is
    path.write_bytes(content[: header + sum(map(len, lines[:before])) + 5])


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    made = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    rows = [{**row, "label": LABELS[at % 2]} for at, row in enumerate(make_rows(60))]
    made.write(rows[:GOOD])
    tear(tmp_path / "corpus" / DATE / "torn.jsonl.gz", rows[GOOD:])
    return made


def config_of(nights: Nights, allowed: int = 0) -> Config:
    folder = nights.folder / "corpus" / DATE
    config = nights.config(max_broken_files=allowed)
    source = dataclasses.replace(config.corpus.inputs[0], path=str(folder / "*.jsonl*"))
    corpus = dataclasses.replace(config.corpus, inputs=(source,))
    return dataclasses.replace(config, corpus=corpus, workspace=str(nights.folder / "runs"))


def test_scoring_fails_and_its_manifest_names_the_file(nights: Nights) -> None:
    with pytest.raises(RunError, match=r"1 input file cannot be read .*torn\.jsonl\.gz: " + WHY):
        nights.score(config=config_of(nights))
    [manifest] = nights.manifests()
    assert manifest["status"] == "failed"
    assert [each.get("broken") for each in manifest["inputs"]] == [None, WHY]
    assert [each["rows_read"] for each in manifest["inputs"]] == [GOOD, BEFORE]
    assert list(manifest["rows"]["broken_files"].values()) == [WHY]
    [listed] = list_runs(FILES, str(nights.output))
    assert (listed.status, listed.broken) == ("failed", 1)
    assert not (nights.output / "predictions").exists()


def test_where_broken_files_are_allowed_the_rows_before_the_damage_are_scored(
    nights: Nights,
) -> None:
    scored = nights.score(config=config_of(nights, allowed=1))
    assert nights.table().num_rows == GOOD + BEFORE
    assert scored.manifest["rows"]["used"] == GOOD + BEFORE
    assert scored.manifest["rows"]["rejected"] == {}
    page = (Path(scored.folder) / "report.html").read_text(encoding="utf-8")
    assert "1 input file could not be read to the end" in page
    assert WHY in page
    again = nights.score(config=config_of(nights, allowed=1), reuse_from=DATE)
    assert again.manifest["reuse"]["carried"] == GOOD + BEFORE


def test_a_night_with_a_broken_file_does_not_stop_the_others(nights: Nights) -> None:
    nights.write(make_rows(5), date="2026-11-21")
    config = config_of(nights)
    source = dataclasses.replace(
        config.corpus.inputs[0], path=str(nights.folder / "corpus" / "{date}" / "*.jsonl*")
    )
    config = dataclasses.replace(
        config, corpus=dataclasses.replace(config.corpus, inputs=(source,))
    )
    done = backfill(
        config,
        [DATE, "2026-11-21"],
        model=nights.model,
        output=str(nights.output),
        beam_options=[],
        files=FILES,
    )
    assert [night.status for night in done] == ["failed", "done"]
    assert "torn.jsonl.gz" in done[0].error


def test_a_dry_run_names_the_file(nights: Nights) -> None:
    estimate = estimate_scoring(config_of(nights), model=nights.model, files=FILES)
    assert list(estimate.broken.values()) == [WHY]
    broken, failure = estimate.summary()[-2:]
    assert WHY in broken
    assert failure.startswith(
        "would fail   nothing would be published: 1 input file cannot be read"
    )


def run_evaluate(nights: Nights, config: Config) -> dict[str, Any]:
    return dict(evaluate(config, model=nights.model, beam_options=[], files=FILES).rows)


def run_compare(nights: Nights, config: Config) -> dict[str, Any]:
    compared = compare(
        config,
        old=nights.model,
        new=nights.model,
        output=str(nights.folder / "compared"),
        gates=Gates(),
        beam_options=[],
        files=FILES,
    )
    return dict(compared.comparison["rows"])


def run_vectors(nights: Nights, config: Config) -> dict[str, Any]:
    pytest.importorskip("gensim")
    config = dataclasses.replace(config, vectors=VectorsConfig(min_frequency=1, epochs=1))
    return dict(learn_vectors(config, output=str(nights.folder / "vectors.txt"), files=FILES).rows)


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        (run_evaluate, "Nothing was measured"),
        (run_compare, "Nothing was compared"),
        (run_vectors, "Nothing was published"),
    ],
)
def test_the_other_commands_heed_broken_files(
    nights: Nights, command: Callable[[Nights, Config], dict[str, Any]], outcome: str
) -> None:
    rows = command(nights, config_of(nights, allowed=1))
    assert (rows["read"], rows["used"]) == (GOOD + BEFORE, GOOD + BEFORE)
    assert list(rows["broken_files"].values()) == [WHY]
    with pytest.raises(RunError, match=rf"^{outcome}: .*torn\.jsonl\.gz: {WHY}"):
        command(nights, config_of(nights))


def test_prepare_stops_after_its_first_pass_and_leaves_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    write_json_lines(tmp_path / "corpus" / "a.jsonl", ROWS)
    torn = [{"id": f"torn{number}", "text": "torn", "label": "other"} for number in range(20)]
    tear(tmp_path / "corpus" / "b.jsonl.gz", torn)
    config = small_config(tmp_path / "runs", str(tmp_path / "corpus" / "*.jsonl*"))
    with pytest.raises(RunError, match=r"b\.jsonl\.gz: " + WHY):
        run(config)
    [path] = (tmp_path / "runs/datasets").glob("*/manifest.json")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["status"] == "failed"
    assert manifest["inputs"][1]["broken"] == WHY
    allowed = dataclasses.replace(config.corpus, max_broken_files=1)
    dataset = run(dataclasses.replace(config, corpus=allowed))
    assert dataset.manifest["rows"]["read"] == len(ROWS) + BEFORE
    assert dataset.manifest["inputs"][1]["broken"] == WHY
    assert WHY in Path(dataset.files.report).read_text(encoding="utf-8")
