"""compare gives what a plain loop over the predictions of both models gives."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.config import ConfigError
from pipeline.config.sections import Config
from pipeline.corpora.scoring.comparison import Gates, compare_labels
from pipeline.runners.execution import RunError
from pipeline.stages.compare import Compared, compare
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.bundles import open_bundle
from tests.pipeline.reports.html_page import parse_page
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import LABELS, write_model

FILES = BeamFiles()


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("compare")
    made = Nights(folder=folder, model=write_model(folder / "old"))
    write_model(folder / "new")
    rows = [{**row, "label": LABELS[at % 2]} for at, row in enumerate(make_rows(60))]
    made.write([*rows, {"id": "<b>&", "text": "<script>alert(1)</script>"}, {"id": "bad"}])
    return made


def run_compare(nights: Nights, new: str, config: Config | None = None, **gates: float) -> Compared:
    config = config or nights.config(max_rejected_fraction=1)
    return compare(
        config,
        old=nights.model,
        new=str(nights.folder / new),
        output=str(nights.folder / f"compared-{new}"),
        gates=Gates(**gates),
        beam_options=[],
        files=FILES,
    )


def test_flips_and_metrics_are_those_of_a_plain_loop(nights: Nights) -> None:
    compared = run_compare(nights, "new")
    labels = {}
    for name in ("old", "new"):
        dataclasses.replace(nights, model=str(nights.folder / name)).score(
            config=nights.config(max_rejected_fraction=1)
        )
        table = nights.table()
        ids, found = (table.column(column).to_pylist() for column in ("document_id", "label"))
        labels[name] = dict(zip(ids, found, strict=True))
    pairs = Counter(
        (labels["old"][each], labels["new"][each])
        for each in labels["old"]
        if labels["old"][each] != labels["new"][each]
    )
    comparison = compared.comparison
    assert {(flip["old"], flip["new"]): flip["documents"] for flip in comparison["flips"]} == pairs
    assert comparison["documents"] == 61
    assert comparison["flipped"] == sum(pairs.values())
    assert comparison["agreement"] == pytest.approx(1 - sum(pairs.values()) / 61)
    truth = {row["id"]: LABELS[at % 2] for at, row in enumerate(make_rows(60))}
    for name in ("old", "new"):
        right = sum(labels[name][each] == truth[each] for each in truth)
        assert comparison["metrics"][name]["accuracy"] == pytest.approx(right / 60)
    flips = pq.read_table(compared.flips)
    assert flips.num_rows == sum(pairs.values())
    for row in flips.to_pylist():
        assert (row["old_label"], row["new_label"]) == (
            labels["old"][row["document_id"]],
            labels["new"][row["document_id"]],
        )
        for name in ("old", "new"):
            spans = zip(row[f"{name}_token_starts"], row[f"{name}_token_ends"], strict=True)
            assert [row["text"][start:end] for start, end in spans] == row[f"{name}_tokens"]
            assert sum(row[f"{name}_attention"]) == pytest.approx(1, abs=1e-5)
    page = parse_page(Path(compared.report).read_text(encoding="utf-8"))
    assert "Agreement" in page.text
    assert not page.all("script")
    written = json.loads((nights.folder / "compared-new/comparison.json").read_text())
    assert written == comparison
    assert not (nights.folder / "compared-new/staging").exists()


def test_too_many_rejected_rows_are_not_compared(nights: Nights) -> None:
    with pytest.raises(RunError, match=r"^Nothing was compared: 1\.61% of the rows were rejected"):
        run_compare(nights, "new", nights.config(max_rejected_fraction=0))
    assert not (nights.folder / "compared-new/staging").exists()


def test_a_model_agrees_with_itself(nights: Nights) -> None:
    compared = run_compare(nights, "old", max_churn=0, min_accuracy_gain=0)
    assert compared.comparison["agreement"] == 1
    assert compared.comparison["flips"] == []
    assert compared.comparison["tripped"] == compared.comparison["notes"] == []
    assert (
        "Both models give every document the same label."
        in parse_page(Path(compared.report).read_text()).text
    )
    assert open_bundle(FILES, nights.model).labels == LABELS


def test_models_with_different_labels_are_measured_on_the_labels_of_both(tmp_path: Path) -> None:
    made = Nights(folder=tmp_path, model=write_model(tmp_path / "old"))
    write_model(tmp_path / "more", labels=("a\x1fb", *LABELS))
    known = [{**row, "label": LABELS[at % 2]} for at, row in enumerate(make_rows(20))]
    other = [{**row, "label": "a\x1fb"} for row in make_rows(10, first=20)]
    made.write([*known, *other])
    compared = run_compare(made, "more")
    metrics = compared.comparison["metrics"]
    assert metrics["old"]["rows"] == metrics["new"]["rows"] == 20
    assert compared.comparison["unknown_labels"] == {"a\x1fb": 10}
    page = parse_page(Path(compared.report).read_text(encoding="utf-8"))
    assert "not both models know are left out: 'a\\x1fb' (10)" in page.text


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        ("ab", "ba", []),
        (
            "ab",
            "cd",
            [
                "The models have no label in common (old: a, b; new: c, d), so every document "
                "flips and agreement says nothing. Compare models of the same labels."
            ],
        ),
        (
            "ab",
            "bcdefgh",
            [
                "Labels that only the old model has: a.",
                "Labels that only the new model has: c, d, e, f, g, ...",
            ],
        ),
    ],
)
def test_labels_that_only_one_model_has_are_noted(old: str, new: str, notes: list[str]) -> None:
    assert list(compare_labels(list(old), list(new))) == notes


def test_a_gate_that_cannot_be_judged_leaves_no_staging(tmp_path: Path) -> None:
    made = Nights(folder=tmp_path, model=write_model(tmp_path / "old"))
    made.write(make_rows(5))
    with pytest.raises(ConfigError, match="--min-accuracy-gain: expected labels"):
        run_compare(made, "old", min_accuracy_gain=0)
    assert not (tmp_path / "compared-old/staging").exists()


def test_the_schema_of_flips_can_be_written(tmp_path: Path) -> None:
    from pipeline.corpora.scoring.flips import FLIPS

    pq.write_table(FLIPS.empty_table(), tmp_path / "flips.parquet")
    assert pa.schema(pq.read_schema(tmp_path / "flips.parquet")).names == FLIPS.names
