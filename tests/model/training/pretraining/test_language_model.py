"""The losses of a language model equal a reference in NumPy, place by place."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from model.config import LSTMConfig
from model.layers.classifier import build_classifier
from model.layers.weights import copy_weights
from model.text.vocabulary import PAD
from model.training.batches import training_batches
from model.training.pretraining.language_model import (
    SHARED_LAYERS,
    build_language_model,
    directions_of,
    log_loss_of,
    projection_of,
    weigh_tokens,
)
from model.training.pretraining.perplexity import measure_log_loss
from model.training.pretraining.token_batches import TokenBatches, weigh_predictions
from tests.model.layers.gradients import gradients
from tests.model.training.pretraining.language_models import NETWORK, VOCABULARY, make_language

FIRST = VOCABULARY.first_token_id
ONE_WAY = dataclasses.replace(NETWORK, lstm=LSTMConfig(units=6, bidirectional=False))


# Some tokens are rare enough to count fully.
COUNTS = np.array([0, 500, *(40_000 // (rank + 1) ** 3 for rank in range(20))])


def make_model(network=NETWORK, counts=COUNTS):
    model = build_language_model(network, counts=counts, first_token_id=FIRST)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(0, 0.6, each.shape) for each in model.get_weights()])
    return model


def make_batch(rows=9, *, negative_samples, directions=2):
    examples = make_language(rows, seed=6)
    [batch] = TokenBatches(
        training_batches(examples, batch_size=rows, rows=rows, seed=1, epoch=1),
        first_token_id=FIRST,
        token_weights=weigh_tokens(COUNTS, first_token_id=FIRST),
        negative_samples=negative_samples,
        seed=1,
        epoch=1,
        directions=directions,
    )
    return examples, batch


def states_of(model, network, inputs):
    """The states of each direction, from the layer that a classifier has, too."""
    vectors = model.get_layer("embedding")(inputs["token_ids"])
    states, _ = model.get_layer("bilstm_1")(vectors, inputs["length"])
    return np.split(np.asarray(states), len(directions_of(network)), axis=-1)


def reference_losses(model, network, inputs):
    """The weighted loss of every document, and the sum of its weights, by plain loops."""
    weights = copy_weights(model)
    table, bias = weights["embedding"]["embeddings"], weights["output_bias"]["embeddings"][:, 0]
    rank = np.arange(VOCABULARY.size) - FIRST
    tokens = len(VOCABULARY.tokens)
    share = np.log((np.maximum(rank, 0) + 2) / (np.maximum(rank, 0) + 1)) / np.log(tokens + 1)
    with np.errstate(invalid="ignore"):
        expected = 1 - (1 - share) ** float(inputs["draws"][0])
    token_ids, losses, predictions = inputs["token_ids"], [], []
    all_states = states_of(model, network, inputs)
    for row, length in enumerate(inputs["length"]):
        loss, count = 0.0, 0.0
        for direction, states in zip(directions_of(network), all_states, strict=True):
            projection = weights[projection_of(direction)]
            step = -1 if direction == "backward" else 1
            for place in range(length):
                if not 0 <= place + step < length or token_ids[row, place + step] < FIRST:
                    continue
                right = token_ids[row, place + step]
                hidden = states[row, place] @ projection["kernel"] + projection["bias"]
                wrong = [each for each in inputs["candidates"] if each != right]
                chosen = np.array([right, *wrong])
                logits = table[chosen] @ hidden + bias[chosen] - np.log(expected[chosen])
                weight = min(1, np.sqrt(1e-4 / (COUNTS[right] / COUNTS.sum())))
                loss += weight * (np.log(np.exp(logits).sum()) - logits[0])
                count += weight
        losses.append(loss)
        predictions.append(count)
    return np.array(losses), np.array(predictions)


@pytest.mark.parametrize("network", [NETWORK, ONE_WAY])
@pytest.mark.parametrize("negative_samples", [6, 20])
def test_losses_equal_the_reference(network, negative_samples) -> None:
    model = make_model(network)
    _, (inputs, counts, weights) = make_batch(
        negative_samples=negative_samples, directions=network.directions
    )
    assert (inputs["token_ids"] == PAD).any()
    assert (inputs["token_ids"] == 1).any()  # an unknown token
    losses, predictions = reference_losses(model, network, inputs)
    np.testing.assert_allclose(np.asarray(model(inputs)), losses, rtol=1e-4)
    np.testing.assert_allclose(counts, predictions, rtol=1e-5)
    # Keras's mean over the weighted rows is the mean over the predictions.
    np.testing.assert_allclose(
        (losses * weights).mean(), losses.sum() / predictions.sum(), rtol=1e-5
    )


@pytest.mark.parametrize("network", [NETWORK, ONE_WAY])
def test_with_all_tokens_as_candidates_the_loss_is_that_of_validation(network) -> None:
    equal = np.full(VOCABULARY.size, 100)  # all tokens have the same weight
    model = make_model(network, equal)
    examples, (inputs, _, _) = make_batch(negative_samples=20, directions=network.directions)
    weights = weigh_tokens(equal, first_token_id=FIRST)
    counts = weigh_predictions(inputs["token_ids"], weights, directions=network.directions)
    measured = measure_log_loss(model, examples, network, first_token_id=FIRST)
    assert measured == pytest.approx(np.asarray(model(inputs)).sum() / counts.sum(), rel=1e-4)


def test_the_gradient_of_the_loss_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(1)
    right = keras.Variable(rng.normal(size=(3, 4)).astype(np.float32))
    wrong = keras.Variable(rng.normal(0, 2, (3, 4, 5)).astype(np.float32))

    def ours():
        return ops.sum(ops.square(log_loss_of(right.value, wrong.value)))

    def plain():
        logits = ops.concatenate([ops.expand_dims(right.value, -1), wrong.value], axis=-1)
        return ops.sum(ops.square(ops.logsumexp(logits, axis=-1) - right.value))

    for found, expected in zip(
        gradients(ours, [right, wrong]), gradients(plain, [right, wrong]), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_shared_layers_are_those_of_a_classifier() -> None:
    model = copy_weights(make_model())
    classifier = copy_weights(
        build_classifier(NETWORK, ids=VOCABULARY.size, max_tokens=12, labels=2)
    )
    for layer in SHARED_LAYERS:
        shapes = {name: array.shape for name, array in classifier[layer].items()}
        assert {name: array.shape for name, array in model[layer].items()} == shapes
