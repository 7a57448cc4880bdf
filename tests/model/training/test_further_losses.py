"""The changes of the word vectors, against NumPy and finite differences, in one training step."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from model.config import (
    AdversarialConfig,
    AttentionConfig,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    TrainingConfig,
    VirtualAdversarialConfig,
)
from model.layers.classifier import build_classifier
from model.layers.sequences import Tensor
from model.training.backends.current import training_backend
from model.training.backends.passes import Passes
from model.training.further_losses import FurtherLosses, scale_documents
from model.training.losses import divergence, make_loss

DOCUMENTS, STEPS, UNITS, LABELS = 6, 5, 4, 3
LENGTH = np.array([5, 3, 1, 4, 0, 2], "int32")
TOKEN_IDS = np.random.default_rng(0).integers(1, 20, (DOCUMENTS, STEPS)).astype("int32")
TOKEN_IDS[np.arange(STEPS) >= LENGTH[:, None]] = 0
INPUTS = {"token_ids": TOKEN_IDS, "length": LENGTH}
TRUTH = np.array([0, 1, 2, 1, 0, 2])
NETWORK = NetworkConfig(
    embedding=EmbeddingConfig(units=UNITS),
    lstm=LSTMConfig(units=3),
    attention=AttentionConfig(kind="context", units=3),
    dropout=0.0,
)
DROPOUT = dataclasses.replace(
    NETWORK,
    embedding=EmbeddingConfig(units=UNITS, word_dropout=0.3, spatial_dropout=0.2),
    lstm=LSTMConfig(units=3, layers=2, dropout=0.4),
    dropout=0.5,
)
NOISE = np.random.default_rng(1).normal(size=(DOCUMENTS, STEPS, UNITS)).astype("float32")


class Recorded(Passes):
    """Records the vectors of all passes of a step; its noise is fixed."""

    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        self.vectors, self.logits, self.length = passes.vectors, passes.logits, passes.length
        self.ran: list[Tensor] = []
        self.probed: list[Tensor] = []

    def run(self, vectors: Tensor) -> Tensor:
        self.ran.append(vectors)
        return self.passes.run(vectors)

    def gradient(self, loss: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
        self.probed.append(vectors)
        return self.passes.gradient(loss, vectors)

    def noise(self) -> Tensor:
        return ops.convert_to_tensor(NOISE)


def _step(
    network: NetworkConfig, further: Callable[[Recorded, Tensor], list[Tensor]]
) -> tuple[keras.Model, Recorded]:
    """Computes a step, without compiling it, of a network with random weights."""
    keras.utils.set_random_seed(1)
    built = build_classifier(network, ids=20, max_tokens=STEPS, labels=LABELS)
    random = np.random.default_rng(2)
    built.set_weights([random.normal(0, 0.7, weight.shape) for weight in built.get_weights()])
    recorded = []

    def record(passes: Passes, label: Tensor) -> list[Tensor]:
        recorded.append(Recorded(passes))
        return further(recorded[0], label)

    trainee = training_backend().make_trainee(built, built.output["logits"], record)
    trainee.compile(
        optimizer=keras.optimizers.SGD(0.1), loss=make_loss("softmax", label_smoothing=0)
    )
    weights = np.ones(DOCUMENTS, np.float32)
    if keras.backend.backend() == "jax":
        trainee.optimizer.build(trainee.trainable_variables)
        trainee.compute_loss_and_updates(
            [each.value for each in trainee.trainable_variables],
            [each.value for each in trainee.non_trainable_variables],
            [each.value for each in trainee.metrics_variables],
            {name: ops.convert_to_tensor(values) for name, values in INPUTS.items()},
            ops.convert_to_tensor(TRUTH),
            weights,
            training=True,
            optimizer_variables=[each.value for each in trainee.optimizer.variables],
        )
        return built, recorded[0]
    import tensorflow as tf

    tensors = {name: tf.constant(values) for name, values in INPUTS.items()}
    trainee.train_step((tensors, tf.constant(TRUTH), tf.constant(weights)))
    return built, recorded[0]


def _slopes(built: keras.Model, loss: Callable[[Tensor], Tensor], at: np.ndarray) -> np.ndarray:
    """The gradient of the sum of the losses by central differences."""
    vectors = built.get_layer("word_dropout").output
    ids, length = (built.input[name] for name in ("token_ids", "length"))
    rest = keras.Model([ids, length, vectors], built.output["logits"])

    def total(vectors: np.ndarray) -> np.ndarray:
        return np.asarray(loss(rest([TOKEN_IDS, LENGTH, vectors])), np.float64)

    slopes = np.zeros_like(at)
    for step in range(STEPS):
        for unit in range(UNITS):
            change = np.zeros_like(at)
            change[:, step, unit] = 0.01  # the documents do not depend on each other
            slopes[:, step, unit] = (total(at + change) - total(at - change)) / 0.02
    return slopes


def _assert_change(change: np.ndarray, slopes: np.ndarray, *, norm: float) -> None:
    """The change has the norm, and the direction of the slopes, in each document with tokens."""
    assert (change[np.arange(STEPS) >= LENGTH[:, None]] == 0).all()
    for row in np.flatnonzero(LENGTH):
        assert np.linalg.norm(change[row]) == pytest.approx(norm, rel=1e-4)
        cosine = (change[row] * slopes[row]).sum() / norm / np.linalg.norm(slopes[row])
        assert cosine == pytest.approx(1, abs=1e-3)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the step before changes no weights")
def test_a_step_changes_the_weights() -> None:
    before, _ = _step(NETWORK, lambda *_: [])
    config = TrainingConfig(entropy_weight=1.0)
    after, _ = _step(NETWORK, FurtherLosses(head="softmax", config=config))
    changes = [
        np.abs(a - b).max() for a, b in zip(before.get_weights(), after.get_weights(), strict=True)
    ]
    assert max(changes) > 1e-4


def test_the_adversarial_change_is_along_the_gradient_of_the_labels_loss() -> None:
    config = TrainingConfig(adversarial=AdversarialConfig(norm=0.7))
    initial = _initial()
    _, passes = _step(NETWORK, FurtherLosses(head="softmax", config=config))
    vectors = np.asarray(passes.vectors)
    [moved] = [np.asarray(each) for each in passes.ran]
    loss = make_loss("softmax", label_smoothing=0)
    slopes = _slopes(initial, lambda logits: loss(TRUTH, logits), vectors)
    _assert_change(moved - vectors, slopes, norm=0.7)


def test_the_virtual_adversarial_change_is_along_the_gradient_of_the_divergence() -> None:
    config = TrainingConfig(virtual_adversarial=VirtualAdversarialConfig(norm=0.7, xi=0.3))
    initial = _initial()
    _, passes = _step(NETWORK, FurtherLosses(head="softmax", config=config))
    vectors = np.asarray(passes.vectors)
    [probed] = [np.asarray(each) for each in passes.probed]
    _assert_change(
        probed - vectors, NOISE * (np.arange(STEPS) < LENGTH[:, None])[..., None], norm=0.3
    )
    [moved] = [np.asarray(each) for each in passes.ran]
    slopes = _slopes(
        initial, lambda logits: divergence(passes.logits, logits, head="softmax"), probed
    )
    _assert_change(moved - vectors, slopes, norm=0.7)


def _initial() -> keras.Model:
    """The network of `_step` before the step."""
    built = build_classifier(NETWORK, ids=20, max_tokens=STEPS, labels=LABELS)
    random = np.random.default_rng(2)
    built.set_weights([random.normal(0, 0.7, weight.shape) for weight in built.get_weights()])
    return built


def test_all_passes_of_a_step_use_the_same_dropout() -> None:
    found: list[np.ndarray] = []

    def run_again(passes: Recorded, _: Tensor) -> list[Tensor]:
        for _ in range(2):
            found.append(np.asarray(passes.run(passes.vectors)))
        return []

    _, passes = _step(DROPOUT, run_again)
    for logits in found:
        np.testing.assert_allclose(logits, passes.logits, atol=1e-6)
    _, without = _step(dataclasses.replace(DROPOUT, dropout=0.0), run_again)
    assert not np.allclose(passes.logits, without.logits)


@pytest.mark.parametrize("scale", [1.0, 1e-25, 1e25])
def test_documents_are_scaled_over_all_their_tokens(scale: float) -> None:
    values = NOISE.copy()
    values[3] = 0
    found = np.asarray(scale_documents(values * np.float32(scale), LENGTH, norm=2.0))
    for row, length in enumerate(LENGTH):
        real = values[row, :length]
        expected = np.zeros_like(values[row])
        if real.any():
            expected[:length] = 2 * real / np.linalg.norm(real)
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-6)


def test_a_weight_of_0_leaves_a_loss_out() -> None:
    for config in (
        TrainingConfig(),
        TrainingConfig(
            adversarial=AdversarialConfig(weight=0.0),
            virtual_adversarial=VirtualAdversarialConfig(weight=0.0),
        ),
    ):
        assert not config.perturbs
        assert not config.has_further_losses
    assert TrainingConfig(entropy_weight=0.1).has_further_losses
    assert not TrainingConfig(entropy_weight=0.1).perturbs
    assert TrainingConfig(adversarial=AdversarialConfig()).perturbs
