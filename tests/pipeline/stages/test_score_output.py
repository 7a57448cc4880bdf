"""A published partition holds what the section `scoring` asks for, with every runner."""

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pytest

from model.bundle.loading import load_bundle
from model.config import ConfigError, to_plain
from pipeline.config.sections import Config, OutputConfig, ScoringConfig
from pipeline.nights.partition import SUCCESS
from pipeline.stages.score import score
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import DATE, Nights, make_rows
from tests.pipeline.tiny_model import write_model

ROWS = 60


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("models")
    second = write_model(folder / "second")
    manifest = Path(second) / "manifest.json"
    changed = {**json.loads(manifest.read_text()), "model_version": "other/2"}
    manifest.write_text(json.dumps(changed))
    return [write_model(folder / "first"), second]


@pytest.fixture
def nights(tmp_path: Path, models: list[str]) -> Nights:
    made = Nights(folder=tmp_path, model=models[0])
    languages = ("en", "de", "日本/..")
    rows = [{**row, "lang": languages[n % 3]} for n, row in enumerate(make_rows(ROWS))]
    made.write(rows, shards=2)
    return made


def config(nights: Nights, *, output: OutputConfig | None = None, **scoring: object) -> Config:
    base = nights.config()
    columns = dataclasses.replace(base.corpus.columns, keep=("lang",))
    return dataclasses.replace(
        base,
        corpus=dataclasses.replace(base.corpus, columns=columns),
        scoring=ScoringConfig(engine="folded", output=output or OutputConfig(), **scoring),
    )


def test_the_manifest_has_the_sections_of_the_model(nights: Nights, models: list[str]) -> None:
    recorded = nights.score(config=config(nights)).manifest["config"]
    own = load_bundle(models[0]).config
    for name in ("text", "network", "training"):
        assert recorded[name] == to_plain(getattr(own, name))


def test_a_partition_divided_by_a_column_has_every_row(nights: Nights) -> None:
    nights.score(config=config(nights))
    plain = nights.table()
    divided = config(nights, output=OutputConfig(partition_by="lang"))
    nights.score(config=divided)
    folder = Path(nights.partition().predictions)
    assert {path.name for path in folder.iterdir()} == {
        SUCCESS,
        "lang=en",
        "lang=de",
        "lang=%E6%97%A5%E6%9C%AC%2F.%2E",
    }
    partitioning = pa.dataset.partitioning(pa.schema([("lang", pa.string())]), flavor="hive")
    table = pa.dataset.dataset(folder, partitioning=partitioning).to_table()
    rows = table.select(plain.schema.names).sort_by("document_id")
    assert rows.to_pylist() == plain.to_pylist()
    # A reader of _SUCCESS finds every file, and so does the run that would skip the date.
    listed = json.loads((folder / SUCCESS).read_text())["files"]
    assert all((folder / item["file"]).stat().st_size == item["bytes"] for item in listed)
    assert nights.score(config=divided, if_exists="skip").skipped
    nights.score(config=config(nights))
    assert nights.table().equals(plain)


def test_low_scores_are_counted_and_not_written(nights: Nights) -> None:
    nights.score(config=config(nights))
    scores = sorted(nights.table().column("score").to_pylist())
    least = scores[ROWS // 3]
    run = nights.score(config=config(nights, min_score=least))
    kept = [score for score in scores if score >= least]  # scores may be equal
    assert 0 < len(kept) < ROWS
    assert sorted(nights.table().column("score").to_pylist()) == kept
    assert run.manifest["below_min_score"] == ROWS - len(kept)
    assert run.manifest["rows"]["used"] == ROWS


def test_a_further_model_adds_its_columns_in_the_same_pass(
    nights: Nights, models: list[str]
) -> None:
    nights.score(config=config(nights))
    alone = nights.table()
    nights.score(config=config(nights, further_models=(models[1],)))
    table = nights.table()
    assert table.select(alone.schema.names).equals(alone)
    own = dataclasses.replace(nights, model=models[1])
    own.score(config=config(nights))
    second = own.table()
    for name in ("label", "score", "attention", "model_version"):
        assert table.column(f"other_v2_{name}").to_pylist() == second.column(name).to_pylist()
    with pytest.raises(ConfigError, match="of different names, got the column 'other_v2_label'"):
        own.score(config=config(nights, further_models=(models[1], str(models[1]) + "/")))


@pytest.mark.parametrize(
    "beam_options",
    [
        ["--direct_running_mode=multi_threading", "--direct_num_workers=2"],
        pytest.param(
            ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
            marks=pytest.mark.distributed,
        ),
    ],
)
def test_the_runner_changes_nothing(nights: Nights, beam_options: list[str]) -> None:
    nights.score(config=config(nights))
    expected = nights.table()
    score(
        config(nights),
        model=nights.model,
        partition=nights.partition(DATE),
        beam_options=["--runner=FnApiRunner", *beam_options],
        files=BeamFiles(),
    )
    assert nights.table().equals(expected)


def test_a_min_score_above_every_score_writes_no_file(nights: Nights) -> None:
    output = OutputConfig(partition_by="lang")
    run = nights.score(config=config(nights, output=output, min_score=1.0))
    assert run.manifest["below_min_score"] == ROWS
    assert {path.name for path in Path(nights.partition().predictions).iterdir()} == {SUCCESS}
