"""A corpus with a split of unlabeled documents: prepared without labels, and learned from."""

import json
from pathlib import Path

import pytest

from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer
from model.training.shards import Shards, read_examples
from model.training.targets import NO_LABEL
from pipeline.config.loading import build_config
from pipeline.stages.train import Trained, train
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("unlabeled")
    values = good_and_bad(
        folder,
        texts=60,
        learning_rate=0.05,
        baseline="linear",
        virtual_adversarial={"norm": 1.0},
        entropy_weight=0.1,
    )
    rows = [
        {"text": f"{word} number {row} of seldom words"}
        for row in range(30)
        for word in ("good", "bad")
    ]
    rows.append({"text": "a good one with a label that nobody reads", "label": "unknown"})
    path = write_json_lines(folder / "more.jsonl", rows)
    values["corpus"]["inputs"].append({"path": path, "split": "unlabeled"})
    config = build_config(values, [], where="the test")
    return train(config, beam_options=[], files=BeamFiles(), command="the command")


def test_documents_of_the_split_need_no_label(trained):
    dataset = trained.dataset
    assert dataset.rows("unlabeled") == 61
    assert dataset.labels == ("neg", "pos")
    assert dataset.manifest["rows"]["rejected"] == {}
    examples = read_examples(
        Shards(
            paths=tuple(dataset.shards("unlabeled")),
            rows=61,
            max_tokens=8,
            oov_buckets=1,
        ),
        scratch=Path(dataset.files.folder).parent,
    )
    assert (examples.labels == NO_LABEL).all()


def test_their_tokens_are_in_the_vocabulary(trained):
    assert "seldom" in Path(trained.dataset.files.vocabulary).read_text(encoding="utf-8").split()


def test_nothing_is_measured_on_them(trained):
    assert set(trained.best.metrics) == {"validation", "test"}
    assert set(trained.best.baseline["evaluations"]) == {"validation", "test"}
    assert trained.best.metrics["validation"]["accuracy"] > 0.9
    history = (Path(trained.folder) / "history.csv").read_text(encoding="utf-8")
    assert len(history.splitlines()) == 3
    load_scorer(load_bundle(trained.folder))  # passes its golden documents


def test_the_pages_name_them(trained):
    for page in (Path(trained.dataset.files.report), Path(trained.folder) / "report.html"):
        assert "unlabeled" in page.read_text(encoding="utf-8")
    manifest = json.loads((Path(trained.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["training"]["virtual_adversarial"]["norm"] == 1.0
