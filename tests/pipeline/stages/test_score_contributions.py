"""The wide part's contributions in a published partition, beside attention."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from model.bundle.loading import load_bundle
from model.text.tokenizer import Tokenizer
from model.wide.documents import read_whole_documents
from pipeline.config.sections import Config, OutputConfig, ScoringConfig
from pipeline.schemas import CONTRIBUTIONS, PREDICTIONS
from pipeline.storage.files import join
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "wide": write_model(folder / "wide", wide=True),
        "plain": write_model(folder / "plain"),
    }


def make_nights(folder: Path, model: str) -> Nights:
    nights = Nights(folder=folder, model=model)
    nights.write(make_rows(40), shards=2)
    return nights


def config(nights: Nights, *, output: OutputConfig | None = None, **scoring: Any) -> Config:
    section = ScoringConfig(engine="folded", output=output or OutputConfig(), **scoring)
    return dataclasses.replace(nights.config(), scoring=section)


def expected_scores(model: str, table: pa.Table) -> dict[str, float]:
    """The wide part's score of each document's label, by id, from its logits."""
    bundle = load_bundle(Path(model))
    wide = bundle.read_wide_part()
    assert wide is not None
    texts = {row["id"]: row["text"] for row in make_rows(40)}
    ids = table.column("document_id").to_pylist()
    tokens = Tokenizer(bundle.config.text).tokenize(pa.array([texts[name] for name in ids]))
    margins = wide.weights["mix"][1] * wide.logits(read_whole_documents(tokens, bundle.vocabulary))
    labels = table.column("label_index").to_pylist()
    return {
        name: float(margin if label else -margin)
        for name, label, margin in zip(ids, labels, margins[:, 0], strict=True)
    }


@pytest.mark.parametrize(
    "output",
    [
        OutputConfig(),
        OutputConfig(attention="top_k", top_k=2),
        OutputConfig(attention="none"),
        OutputConfig(attention_type="float16"),
    ],
)
@pytest.mark.parametrize("long_documents", ["truncate", "windows"])
def test_contributions_add_up_to_the_wide_parts_score(
    tmp_path: Path, models: dict[str, str], output: OutputConfig, long_documents: str
) -> None:
    nights = make_nights(tmp_path, models["wide"])
    nights.score(config=config(nights, output=output, long_documents=long_documents))
    table = nights.table()
    expected = expected_scores(models["wide"], table)
    precision = 5e-3 if output.attention_type == "float16" else 1e-5
    for row in table.to_pylist():
        assert len(row["contributions"]) == len(row["attention"]) == len(row["tokens"])
        score = sum(row["contributions"]) + row["contributions_rest"]
        assert score == pytest.approx(expected[row["document_id"]], abs=precision)
    number = pa.float16() if output.attention_type == "float16" else pa.float32()
    assert table.schema.field("contributions").type == pa.list_(number)
    assert table.schema.field("contributions_rest").type == pa.float32()
    after = table.schema.names.index("attention")
    assert table.schema.names[after + 1 : after + 3] == CONTRIBUTIONS.names


def test_a_model_without_a_wide_part_writes_the_columns_that_it_wrote_before(
    tmp_path: Path, models: dict[str, str]
) -> None:
    nights = make_nights(tmp_path, models["plain"])
    nights.score(config=config(nights))
    names = [name for name in PREDICTIONS.names if name != "run_id"]  # which `table` drops
    assert nights.table().schema.names == names


def test_each_further_model_has_the_columns_that_it_writes_alone(
    tmp_path: Path, models: dict[str, str]
) -> None:
    other = tmp_path / "plain" / "2"
    manifest = Path(write_model(other)) / "manifest.json"
    changed = {**json.loads(manifest.read_text()), "model_version": "plain/2"}
    manifest.write_text(json.dumps(changed))
    for first, second, has in ((models["wide"], str(other), False), (str(other), "", True)):
        nights = make_nights(tmp_path / f"{has}", first)
        further = second or models["wide"]
        nights.score(config=config(nights, further_models=(further,)))
        names = nights.table().schema.names
        prefix = "tiny_v1_" if has else "plain_v2_"
        assert ("contributions" in names) is not has
        assert (f"{prefix}contributions" in names) is has
        assert f"{prefix}attention" in names


def test_reused_rows_keep_their_contributions(tmp_path: Path, models: dict[str, str]) -> None:
    nights = make_nights(tmp_path, models["wide"])
    nights.write(make_rows(40), date="2026-11-21")
    nights.score(config=config(nights))
    later = dataclasses.replace(nights.config("2026-11-21"), scoring=ScoringConfig(engine="folded"))
    run = nights.score(date="2026-11-21", config=later, reuse_from="previous")
    assert run.manifest["reuse"]["carried"] == 40
    columns = ["document_id", *CONTRIBUTIONS.names]
    before, after = (
        nights.table(date).select(columns).sort_by("document_id")
        for date in ("2026-11-20", "2026-11-21")
    )
    assert before.equals(after)


def test_the_page_of_the_run_shows_them(tmp_path: Path, models: dict[str, str]) -> None:
    nights = make_nights(tmp_path, models["wide"])
    run = nights.score(config=config(nights))
    page = Path(join(run.folder, "report.html")).read_text(encoding="utf-8")
    assert ", wide part +" in page or ", wide part -" in page
    assert "the wide part's score of the label" in page
