"""What Keras trains on: metrics over documents alone, and steps in half precision."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from model.config import (
    EmbeddingConfig,
    Head,
    LSTMConfig,
    NetworkConfig,
    Precision,
    SoftLabelsConfig,
    TrainingConfig,
)
from model.layers.classifier import build_classifier
from model.metrics.evaluation import evaluate
from model.training.compiled_network import LOG_LOSS, compile_network, exact_matches, right_labels
from model.training.devices import Devices
from model.training.losses import make_loss
from model.training.state.averaging import EpochAverage
from model.training.state.checkpoint import Checkpoint
from model.training.targets import NO_LABEL, truth_of_documents

LABELS, STEPS, DOCUMENTS = 3, 6, 20
NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=6), lstm=LSTMConfig(units=4), dropout=0.2)
PLAIN = dataclasses.replace(NETWORK, dropout=0.0)


def _documents(head: Head, *, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    length = rng.integers(1, STEPS + 1, DOCUMENTS).astype("int32")
    ids = rng.integers(1, 20, (DOCUMENTS, STEPS)).astype("int32")
    ids[np.arange(STEPS) >= length[:, None]] = 0
    shape = (DOCUMENTS, LABELS) if head == "multilabel" else (DOCUMENTS,)
    truth = rng.integers(0, 2 if head == "multilabel" else LABELS, shape)
    return {"token_ids": ids, "length": length}, truth


def _compiled(
    network: NetworkConfig,
    *,
    precision: Precision = "float32",
    seed: int = 1,
    soft: bool = False,
    **training: object,
) -> tuple[keras.Model, keras.Model]:
    """A network and what Keras trains of it."""
    keras.utils.set_random_seed(seed)
    labels = 2 if network.head == "sigmoid" else LABELS
    built = build_classifier(network, ids=20, max_tokens=STEPS, labels=labels, precision=precision)
    config = TrainingConfig(**training)  # type: ignore[arg-type]
    return built, compile_network(
        built,
        head=network.head,
        config=config,
        steps=100,
        devices=Devices(precision=precision),
        soft_labels=soft,
    )


def test_a_document_is_right_if_its_label_has_the_largest_logit():
    logits = np.array([[0.1, 0.3, 0.2], [5, -1, 2], [-3, -2, -1]], np.float32)
    assert np.asarray(right_labels(np.array([1, 2, 2]), logits)).tolist() == [1, 0, 1]


def test_a_document_is_right_if_its_whole_set_of_labels_is():
    truth = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 0]])
    probabilities = np.array([[0.9, 0.2, 0.5], [0.9, 0.2, 0.4], [0.1, 0.1, 0.1]])
    logits = np.log(probabilities / (1 - probabilities)).astype(np.float32)
    assert np.asarray(exact_matches(truth, logits)).tolist() == [1, 0, 1]
    measured = evaluate(probabilities, truth, labels=("a", "b", "c"), multilabel=True)
    assert measured["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("head", ["softmax", "multilabel"])
def test_metrics_are_those_of_the_documents_whatever_they_weigh(head):
    """Rows of weight 0 fill up a batch; weights of documents count in the loss alone."""
    network, trainee = _compiled(dataclasses.replace(PLAIN, head=head), learning_rate=1e-12)
    inputs, truth = _documents(head)
    probabilities = np.asarray(network(inputs)["probabilities"])
    expected = evaluate(
        probabilities, truth, labels=("a", "b", "c"), multilabel=head == "multilabel"
    )

    filled = {name: np.concatenate([values, 0 * values]) for name, values in inputs.items()}
    labels = np.concatenate([truth, 0 * truth])
    weights = np.zeros(2 * DOCUMENTS, np.float32)
    weights[:DOCUMENTS] = np.where(np.arange(DOCUMENTS) % 2, 0.5, 2.0)
    for rows in (slice(0, DOCUMENTS), slice(None)):
        logs = trainee.fit(
            {name: values[rows] for name, values in filled.items()},
            labels[rows],
            sample_weight=weights[rows],
            batch_size=32,  # the second batch of all rows has no document
            shuffle=False,
            verbose=0,
        ).history
        assert logs["accuracy"][0] == pytest.approx(expected["accuracy"], abs=1e-6)
        assert logs[LOG_LOSS][0] == pytest.approx(expected["loss"], rel=1e-5)
    assert 0 < expected["accuracy"] < 1


@pytest.mark.parametrize("head", ["softmax", "multilabel"])
def test_accuracy_is_that_of_the_documents_with_a_hard_label(head):
    """The reported loss is the cross-entropy with the targets of all documents."""
    built = dataclasses.replace(PLAIN, head=head)
    network, trainee = _compiled(built, learning_rate=1e-12, soft=True)
    inputs, labels = _documents(head)
    probabilities = np.asarray(network(inputs)["probabilities"])
    hard = labels.copy()
    hard[::2] = NO_LABEL
    soft_labels = np.random.default_rng(1).dirichlet(np.ones(LABELS), DOCUMENTS)
    config = SoftLabelsConfig()
    truth = truth_of_documents(hard, soft_labels.astype(np.float32), config)
    ones = np.ones(DOCUMENTS, np.float32)
    logs = trainee.fit(inputs, truth, sample_weight=ones, batch_size=DOCUMENTS, verbose=0).history
    expected = evaluate(
        probabilities[1::2], labels[1::2], labels=("a", "b", "c"), multilabel=head == "multilabel"
    )
    assert logs["accuracy"][0] == pytest.approx(expected["accuracy"], abs=1e-6)
    logits = np.asarray(network(inputs)["logits"])
    losses = make_loss(head, label_smoothing=0, soft_labels=True)(truth, logits)
    assert logs[LOG_LOSS][0] == pytest.approx(float(np.mean(losses)), rel=1e-5)


def test_keras_scales_the_loss_of_float16_only():
    for precision in ("float32", "mixed_bfloat16"):
        _, trainee = _compiled(PLAIN, precision=precision)
        assert not isinstance(trainee.optimizer, keras.optimizers.LossScaleOptimizer)
    _, trainee = _compiled(PLAIN, precision="mixed_float16")
    assert isinstance(trainee.optimizer, keras.optimizers.LossScaleOptimizer)


def test_the_global_dtype_policy_does_not_scale_the_loss():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        _, trainee = _compiled(PLAIN)
    finally:
        keras.config.set_dtype_policy(before)
    assert not isinstance(trainee.optimizer, keras.optimizers.LossScaleOptimizer)


def _step(precision: Precision, *, weight: float = 1.0, **training: object) -> np.ndarray:
    """The change that one step of gradient descent makes to all weights."""
    network, trainee = _compiled(PLAIN, precision=precision, optimizer="sgd", **training)
    before = network.get_weights()
    inputs, truth = _documents("softmax")
    trainee.train_on_batch(inputs, truth, np.full(DOCUMENTS, weight, np.float32))
    moves = [after - was for after, was in zip(network.get_weights(), before, strict=True)]
    return np.concatenate([move.ravel() for move in moves])


def test_small_gradients_are_not_lost_in_float16():
    """Without scaling of the loss, a part of 0.39 of this step would be lost."""
    small = {"weight": 1e-5, "learning_rate": 1e5}
    free = _step("float32", **small)
    half = _step("mixed_float16", **small)
    assert np.linalg.norm(half - free) < 0.01 * np.linalg.norm(free)


def test_gradients_are_clipped_after_they_are_unscaled():
    clip = 0.1
    free = _step("float32", learning_rate=1.0)
    assert np.linalg.norm(free) > 2 * clip
    clipped = _step("mixed_float16", learning_rate=1.0, gradient_clip=clip)
    np.testing.assert_allclose(np.linalg.norm(clipped), clip, rtol=1e-3)
    loose = _step("mixed_float16", learning_rate=1.0, gradient_clip=100.0)
    np.testing.assert_allclose(np.linalg.norm(loose), np.linalg.norm(free), rtol=0.01)


@pytest.mark.long
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_a_killed_training_in_half_precision_resumes_to_the_bit(
    tmp_path: Path, precision: Precision
) -> None:
    def train(folder: Path, *, epochs: int) -> dict[str, np.ndarray]:
        network, trainee = _compiled(NETWORK, precision=precision, learning_rate=0.02)
        average = EpochAverage(network, epochs=1)
        checkpoint = Checkpoint(folder, network=network, trainee=trainee, average=average)
        state = checkpoint.resume()
        while len(state.history) < epochs:
            epoch = len(state.history) + 1
            inputs, truth = _documents("softmax", seed=epoch)
            weights = np.ones(DOCUMENTS, np.float32)
            weights[0] = 1e9 if epoch == 2 else 1.0  # overflows once, which halves the scale
            logs = trainee.fit(
                inputs, truth, sample_weight=weights, batch_size=5, shuffle=False, verbose=0
            ).history
            state.history.append({"epoch": float(epoch), "loss": logs[LOG_LOSS][0]})
            checkpoint.save_best()
            checkpoint.save(state)
        variables: dict[str, np.ndarray] = {}
        trainee.optimizer.save_own_variables(variables)
        weights_now = {str(index): weight for index, weight in enumerate(network.get_weights())}
        return {**weights_now, **{f"optimizer {name}": each for name, each in variables.items()}}

    undisturbed = train(tmp_path / "undisturbed", epochs=4)
    train(tmp_path / "killed", epochs=2)
    resumed = train(tmp_path / "killed", epochs=4)
    assert undisturbed.keys() == resumed.keys()
    for name, values in undisturbed.items():
        assert np.isfinite(values).all(), name
        np.testing.assert_array_equal(values, resumed[name], err_msg=name)
    scales = [values for values in undisturbed.values() if np.ndim(values) == 0 and values > 4000]
    assert [float(scale) for scale in scales] == ([2.0**14] if precision == "mixed_float16" else [])
