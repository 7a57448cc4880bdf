"""Trainings with further losses: they learn, resume to the bit, and give ordinary networks."""

import numpy as np
import pytest

from model.config import AdversarialConfig, VirtualAdversarialConfig
from model.layers.keras_engine import KerasEngine
from model.training.examples import Examples
from tests.model.training.made_up_examples import IDS, make_examples
from tests.model.training.test_fit import NETWORK, KilledError, build, train, weights_of


@pytest.fixture(scope="module")
def corpus() -> dict[str, Examples]:
    return {"train": make_examples(400, seed=1), "validation": make_examples(100, seed=2)}


FURTHER = {
    "adversarial": AdversarialConfig(norm=0.5),
    "virtual_adversarial": VirtualAdversarialConfig(norm=0.5),
    "entropy_weight": 0.1,
    "ema_decay": 0.9,
}


@pytest.mark.long
def test_further_losses_learn_and_resume_to_the_bit(corpus, tmp_path):
    """With dropout, random directions, averaged weights, and word vectors that are normalized."""
    fitted, _ = train(corpus, tmp_path / "whole", **FURTHER)
    with pytest.raises(KilledError):
        train(corpus, tmp_path / "killed", kill_after=2, **FURTHER)
    resumed, _ = train(corpus, tmp_path / "killed", **FURTHER)
    for first, second in zip(weights_of(fitted), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(first, second)
    best = fitted.history[fitted.best_epoch - 1]
    assert best["validation_accuracy"] > 0.95
    # An ordinary network with these weights predicts what was validated.
    network = build(NETWORK)
    network.set_weights(weights_of(fitted))
    validation = corpus["validation"]
    probabilities, _ = KerasEngine(network).run(validation.ids, validation.row_offsets)
    right = probabilities[np.arange(100), validation.labels]
    assert -np.log(right).mean() == pytest.approx(best["validation_loss"], rel=1e-4)
    counts = np.bincount(corpus["train"].ids, minlength=IDS)[:, None]
    table = network.get_layer("embedding").get_weights()[0]
    np.testing.assert_allclose((counts * table).sum(axis=0) / counts.sum(), 0, atol=1e-4)


def test_further_losses_of_weight_0_change_nothing(corpus, tmp_path):
    plain, _ = train(corpus, tmp_path / "plain")
    fitted, _ = train(
        corpus,
        tmp_path / "weight 0",
        adversarial=AdversarialConfig(weight=0.0),
        virtual_adversarial=VirtualAdversarialConfig(weight=0.0),
    )
    for first, second in zip(weights_of(plain), weights_of(fitted), strict=True):
        np.testing.assert_array_equal(first, second)
