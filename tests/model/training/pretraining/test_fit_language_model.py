"""Pretraining learns, repeats to the bit, and resumes after a kill."""

import keras
import numpy as np
import pytest

from model.config import AdversarialConfig, ConfigError, TrainingConfig
from model.training.fit import Hooks
from tests.model.training.pretraining.language_models import make_language, pretrain


class KilledError(Exception):
    """Raised between two epochs, in place of a kill."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return pretrain(tmp_path_factory.mktemp("whole"))


def test_perplexity_falls(whole) -> None:
    perplexity = [row["validation_perplexity"] for row in whole.history]
    assert perplexity[-1] < 0.5 * 20
    assert perplexity == sorted(perplexity, reverse=True)
    assert whole.best_epoch == len(whole.history) == 3
    for row in whole.history:
        assert row["validation_perplexity"] == pytest.approx(np.exp(row["validation_loss"]))


def test_a_training_that_was_killed_resumes_and_ends_with_the_same_weights(whole, tmp_path) -> None:
    epochs, documents = [], []

    def stop_after_two(_folder, history):
        epochs.append(len(history))
        if len(history) == 2:
            raise KilledError

    with pytest.raises(KilledError):
        pretrain(tmp_path, hooks=Hooks(on_batch=lambda _: None, on_epoch=stop_after_two))
    hooks = Hooks(
        on_batch=documents.append, on_epoch=lambda _, history: epochs.append(len(history))
    )
    resumed = pretrain(tmp_path, hooks=hooks)
    assert epochs == [1, 2, 3]
    assert sum(documents) == 300
    for first, second in zip(
        whole.network.get_weights(), resumed.network.get_weights(), strict=True
    ):
        if keras.backend.backend() == "tensorflow":
            np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_another_seed_gives_other_weights(whole, tmp_path) -> None:
    other = pretrain(tmp_path, seed=2)
    assert (other.network.get_weights()[0] != whole.network.get_weights()[0]).any()


def test_vectors_are_normalized_where_training_perturbs_them(whole, tmp_path) -> None:
    training = TrainingConfig(adversarial=AdversarialConfig())
    fitted = pretrain(tmp_path, training=training)
    ids = make_language(300, seed=1).ids
    shares = np.bincount(ids, minlength=22) / len(ids)
    for network, normalized in ((fitted.network, True), (whole.network, False)):
        table = np.asarray(network.get_layer("embedding").embeddings)
        mean = shares @ table
        variance = shares @ np.square(table - mean)
        assert np.allclose(mean, 0, atol=1e-4) == normalized
        assert np.allclose(variance, 1, atol=1e-3) == normalized
    perplexity = [row["validation_perplexity"] for row in fitted.history]
    assert perplexity[-1] < 0.5 * 20


def test_without_validation_the_last_epoch_is_kept(tmp_path) -> None:
    fitted = pretrain(tmp_path, validation=False, epochs=2)
    assert fitted.best_epoch == 2
    assert set(fitted.history[0]) == {"epoch", "sampled_loss", "seconds"}


def test_a_training_that_diverges_names_its_key(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"^pretraining\.learning_rate: expected a loss"):
        pretrain(tmp_path, learning_rate=1e38)
