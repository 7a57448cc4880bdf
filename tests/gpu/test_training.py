"""A training on a GPU learns, resumes, computes in half precision and is rescored on the CPU.

The tests that `make test` runs train on the CPU; those marked `gpu` differ in their devices alone.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pytest
import yaml

from model.bundle.writing import write_bundle
from model.config import ModelConfig, NetworkConfig, ResolvedTextConfig, TrainingConfig
from model.config_loading import load_section
from model.folded.engine import FoldedEngine
from model.layers.classifier import build_classifier
from model.layers.forward import on_cpu
from model.layers.keras_engine import KerasEngine
from model.text.vocabulary import Vocabulary
from model.training.devices import Devices, choose_devices
from model.training.examples import Examples
from model.training.fit import Fitted, Hooks, TrainingData, fit

CONFIG = Path(__file__).parents[2] / "configs/guide_attention_2d.yaml"
NETWORK = load_section(
    NetworkConfig, yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["network"], where=str(CONFIG)
)
TEXT = ResolvedTextConfig(max_tokens=48, vocabulary_size=500)
VOCABULARY = Vocabulary([f"word{number}" for number in range(500)], oov_buckets=1)
TRAINING = TrainingConfig(batch_size=64, epochs=3, learning_rate=0.005)
LABELS = ("even", "odd")


class StoppedError(Exception):
    """Raised between two epochs, in place of a kill."""


def draw_examples(rows: int, *, seed: int) -> Examples:
    """Documents of about 40 tokens, three of which decide the label."""
    random = np.random.default_rng(seed)
    lengths = random.integers(33, TEXT.max_tokens + 1, rows)
    labels = random.integers(0, 2, rows)
    row_offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = random.integers(10, VOCABULARY.size, row_offsets[-1]).astype(np.int32)
    for _ in range(3):
        ids[row_offsets[:-1] + random.integers(0, lengths)] = 4 + labels
    return Examples(
        ids=ids, row_offsets=row_offsets, labels=labels, weights=np.ones(rows, np.float32)
    )


TRAIN, HELD_OUT = draw_examples(640, seed=1), draw_examples(200, seed=2)


def devices_of(where: str) -> Devices:
    use_gpu: Literal["required", "never"] = "required" if where == "gpu" else "never"
    return choose_devices(dataclasses.replace(TRAINING, gpu=use_gpu))


def build(devices: Devices) -> keras.Model:
    return build_classifier(
        NETWORK,
        ids=VOCABULARY.size,
        max_tokens=TEXT.max_tokens,
        labels=len(LABELS),
        precision=devices.precision,
        cudnn=devices.cudnn,
    )


def train(
    devices: Devices, folder: Path, *, on_epoch: Callable[..., None] = lambda *_: None
) -> Fitted:
    return fit(
        build,
        TrainingData(train=TRAIN, validation=HELD_OUT, labels=LABELS),
        head=NETWORK.head,
        config=TRAINING,
        devices=devices,
        seed=1,
        checkpoints=folder,
        hooks=Hooks(on_batch=lambda _: None, on_epoch=on_epoch),
    )


def publish(fitted: Fitted, folder: Path) -> Any:
    return write_bundle(
        folder,
        name="gpu",
        config=ModelConfig(text=TEXT, network=NETWORK, training=TRAINING),
        network=fitted.network,
        vocabulary=VOCABULARY,
        labels=LABELS,
    )


@pytest.fixture(scope="module")
def float32(where: str, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return train(devices_of(where), tmp_path_factory.mktemp("float32"))


def test_it_learns(float32: Fitted) -> None:
    assert float32.history[float32.best_epoch - 1]["validation_accuracy"] > 0.9


def test_a_stopped_training_resumes_to_the_weights_of_one_that_was_not_stopped(
    where: str, float32: Fitted, tmp_path: Path
) -> None:
    def stop(_: Path, history: list[dict[str, float]]) -> None:
        if len(history) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(devices_of(where), tmp_path, on_epoch=stop)
    resumed = train(devices_of(where), tmp_path)
    for ours, theirs in zip(
        float32.network.get_weights(), resumed.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_the_cpu_engine_scores_the_model_as_it_was_trained(
    float32: Fitted, tolerance: float, tmp_path: Path
) -> None:
    bundle = publish(float32, tmp_path / "model")
    engine = KerasEngine(float32.network)
    folded = FoldedEngine(bundle.read_weights(), NETWORK)
    for found, expected in zip(score(folded), score(engine), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_learns_and_its_weights_are_scored_in_float32(
    where: str, precision: str, tmp_path: Path
) -> None:
    devices = dataclasses.replace(devices_of(where), precision=precision)
    fitted = train(devices, tmp_path / "checkpoints")
    assert fitted.history[fitted.best_epoch - 1]["validation_accuracy"] > 0.9

    bundle = publish(fitted, tmp_path / "model")
    with on_cpu():
        reference = KerasEngine(bundle.build_network(cudnn=False), cpu=True)
    folded = FoldedEngine(bundle.read_weights(), NETWORK)
    for found, expected in zip(score(folded), score(reference), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def score(engine: Any) -> tuple[np.ndarray, np.ndarray]:
    probabilities, attention = engine.run(HELD_OUT.ids, HELD_OUT.row_offsets)
    return probabilities, attention
