"""How well a language model predicts the tokens of documents that it was not trained on."""

import keras
import numpy as np

from model.config import NetworkConfig
from model.text.vocabulary import PAD
from model.training.batches import training_batches
from model.training.examples import Examples
from model.training.pretraining.language_model import (
    BACKWARD,
    OUTPUT_BIAS,
    directions_of,
    projection_of,
)

# The softmax is taken over the whole vocabulary, which costs far more than a step of training.
# So the loss is measured on some documents, with about so many tokens.
MEASURED_TOKENS = 10_000

_ROWS = 16  # documents at once
_PREDICTIONS = 512  # at once: their logits take 60 MB for 30,000 tokens


def choose_documents(examples: Examples) -> np.ndarray:
    """Documents with at least `MEASURED_TOKENS` tokens together, or all; always the same ones."""
    order = np.random.default_rng(0).permutation(examples.rows)
    enough = np.searchsorted(np.cumsum(examples.lengths[order]), MEASURED_TOKENS) + 1
    return order[:enough]


def measure_log_loss(
    network: keras.Model, examples: Examples, config: NetworkConfig, *, first_token_id: int
) -> float | None:
    """The mean of -log p of a prediction, over both directions; its exponential is the perplexity.

    Args:
        network: from `build_language_model`.
        examples: documents of which those that `choose_documents` chooses are measured.
        config: with which the network was built.
        first_token_id: lower ids are not predicted.

    Returns:
        None if there is nothing to predict, such as in documents of one token.
    """
    directions = directions_of(config)
    read = [network.input[name] for name in ("token_ids", "length")]
    outputs = {each: network.get_layer(projection_of(each)).output for each in directions}
    states = keras.Model(read, outputs)
    table = np.asarray(network.get_layer("embedding").table())[first_token_id:]
    bias = np.asarray(network.get_layer(OUTPUT_BIAS).embeddings)[first_token_id:, 0]
    total, count = 0.0, 0
    for inputs, _, _ in training_batches(
        examples,
        batch_size=_ROWS,
        rows=_ROWS,
        seed=0,
        epoch=0,
        documents=choose_documents(examples),
    ):
        token_ids = inputs["token_ids"]
        hidden = states([token_ids, inputs["length"]], training=False)
        for direction in directions:
            to, at = slice(1, None), slice(0, -1)
            if direction == BACKWARD:
                to, at = at, to
            targets = token_ids[:, to]
            predicted = (targets >= first_token_id) & (token_ids[:, 1:] != PAD)
            losses = _log_losses(
                np.asarray(hidden[direction])[:, at][predicted],
                targets[predicted] - first_token_id,
                table,
                bias,
            )
            total, count = total + float(losses.sum()), count + len(losses)
    return total / count if count else None


def _log_losses(
    hidden: np.ndarray, targets: np.ndarray, table: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """-log softmax of each target, float64 `(predictions,)`."""
    losses = np.empty(len(hidden))
    for start in range(0, len(hidden), _PREDICTIONS):
        part = slice(start, start + _PREDICTIONS)
        logits = hidden[part] @ table.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        right = logits[np.arange(len(logits)), targets[part]]
        losses[part] = np.log(np.exp(logits).sum(axis=1)) - right
    return losses
