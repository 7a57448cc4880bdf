"""Averages over epochs and over steps, against NumPy; `test_fit` has them in trainings."""

from pathlib import Path

import keras
import numpy as np
import pytest

from model.config import TrainingConfig
from model.training.backends.current import training_backend
from model.training.state.averaging import EpochAverage, StepAverage, make_average

# A decay of 0.75 averages over about 4 steps.
DECAY, WINDOW = 0.75, 4


def _expected(steps: list[np.ndarray]) -> np.ndarray:
    average = np.zeros_like(steps[0])
    for number, weights in enumerate(steps, start=1):
        average = average + (weights - average) / min(WINDOW, number)
    return average


@pytest.mark.parametrize("optimizer", ["adam", "adadelta", "sgd", "rmsprop"])
def test_the_average_over_steps_is_that_of_the_weights_after_each(optimizer: str) -> None:
    random = np.random.default_rng(0)
    table = keras.Variable(random.normal(size=(5, 2)).astype(np.float32))
    untouched = keras.Variable(np.ones(2, np.float32))
    averaging, plain = (
        training_backend().make_optimizer(
            TrainingConfig(optimizer=optimizer, ema_decay=decay), learning_rate=0.1
        )
        for decay in (DECAY, 0.0)
    )
    alone = keras.Variable(table)
    averaging.build([table, untouched])
    plain.build([alone])
    steps = []
    for _ in range(9):
        gradient = keras.ops.convert_to_tensor(random.normal(size=(5, 2)).astype(np.float32))
        averaging.apply([gradient, keras.ops.zeros(2)], [table, untouched])
        plain.apply([gradient], [alone])
        steps.append(np.array(table))
    np.testing.assert_array_equal(table, alone)  # the steps are those without an average
    average = StepAverage(averaging)
    with average.applied():
        np.testing.assert_allclose(table, _expected(steps), rtol=1e-5)
        np.testing.assert_array_equal(untouched, np.ones(2))
    np.testing.assert_array_equal(table, steps[-1])


def test_the_config_says_what_is_averaged() -> None:
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for config, expected in (
        (TrainingConfig(ema_decay=0.9), StepAverage),
        (TrainingConfig(average_epochs=3), EpochAverage),
        (TrainingConfig(), EpochAverage),
    ):
        optimizer = training_backend().make_optimizer(config, learning_rate=0.1)
        optimizer.build(network.trainable_variables)
        average = make_average(network, optimizer, config=config)
        assert type(average) is expected
    assert not average.averages()  # one epoch is no average


def test_nothing_is_saved_twice(tmp_path: Path) -> None:
    """The optimizer's variables, which a checkpoint has, are the averages over steps."""
    optimizer = training_backend().make_optimizer(
        TrainingConfig(optimizer="sgd", ema_decay=0.5), learning_rate=0.1
    )
    optimizer.build([keras.Variable(np.ones(2, np.float32))])
    average = StepAverage(optimizer)
    average.save(tmp_path / "average.npz")
    assert not list(tmp_path.iterdir())
    saved: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(saved)
    assert any(np.shape(values) == (2,) for values in saved.values())


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.98)])
def test_adam_keeps_as_much_of_its_averages_as_the_betas_say(betas: tuple[float, float]) -> None:
    config = TrainingConfig(adam_betas=betas)
    optimizer = training_backend().make_optimizer(config, learning_rate=0.1)
    weight = keras.Variable(np.zeros(1, np.float32))
    optimizer.build([weight])
    first = second = expected = 0.0
    for step, gradient in enumerate([1.0, -0.5, 3.0, 0.25], start=1):
        optimizer.apply([keras.ops.convert_to_tensor(np.array([gradient], np.float32))], [weight])
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient**2
        corrected = first / (1 - betas[0] ** step), second / (1 - betas[1] ** step)
        expected -= 0.1 * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
    assert float(np.asarray(weight)[0]) == pytest.approx(expected, rel=1e-4)
