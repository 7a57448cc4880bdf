"""A training on JAX gives a model directory like one on TensorFlow, and resumes like one."""

import json
from pathlib import Path

import pytest

from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer
from tests.end_to_end.commands import run
from tests.pipeline.stages.good_and_bad import good_and_bad

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("jax")
    values = good_and_bad(folder, texts=60, learning_rate=0.05, mixed_precision="bfloat16")
    config = folder / "small.yaml"
    config.write_text(json.dumps(values), encoding="utf-8")
    trained = run("train", "--config", config, environment={"KERAS_BACKEND": "jax"})
    assert trained.code == 0, trained.err
    assert "training on the CPU, float32, batches of 16 documents" in trained.err
    assert "training.mixed_precision has no effect on a CPU" in trained.err
    return folder / "runs/models/small/1"


@pytest.mark.parametrize("engine", ["folded", "keras", "tensorflow"])
def test_every_engine_reproduces_the_golden_documents(model, engine):
    load_scorer(load_bundle(model), engine=engine)


def test_the_model_has_learned(model):
    metrics = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["validation"]["accuracy"] > 0.9


def test_another_backend_is_bad_usage(tmp_path):
    refused = run("runs", "--output", tmp_path, environment={"KERAS_BACKEND": "torch"})
    assert refused.code == 2
    assert "KERAS_BACKEND: expected tensorflow or jax, got 'torch'" in refused.err
