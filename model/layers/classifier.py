"""The network: embedding, Bi-LSTM, attention, head, as one Keras model.

Inputs, a dictionary:
    token_ids: int32 `(batch, steps)`, padded on the right with 0; `steps` may differ from batch to
        batch.
    length: int32 `(batch,)`, tokens of each row. A row of length 0 gets finite probabilities and
        attention weights of 0.

Outputs, a dictionary:
    logits: float32 `(batch, labels)`, from which losses are taken; `model.layers.logits` says what
        they mean for each head. With the head `sigmoid` the first of the two is 0.
    probabilities: float32 `(batch, labels)`. They sum to 1, except with the head `multilabel`,
        which predicts every label on its own.
    attention: float32 `(batch, steps)`, one weight per token: at least 0, exactly 0 at padding,
        summing to 1 over the tokens.

Layers that hold weights are named `embedding`, `bilstm_1` to `bilstm_n`, `attention` and `head`.
Each layer gets its dtype from the argument `precision`; Keras's global dtype policy is neither set
nor read, because it belongs to a thread. Weights, the softmax of the attention, the head and all
outputs are float32 with every precision.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from typing_extensions import override

from model.config import CONTROLS, EmbeddingConfig, LSTMConfig, NetworkConfig, Precision
from model.layers.attention import KINDS
from model.layers.bilstm import BiLSTM
from model.layers.entities import EntityPooling
from model.layers.logits import MeanOverSteps, probabilities_of, two_logits
from model.layers.sequences import Tensor, last_real_step, real_steps
from model.layers.token_embedding import TokenEmbedding
from model.text.markers import Markers


def build_classifier(
    config: NetworkConfig,
    *,
    ids: int,
    max_tokens: int,
    labels: int,
    markers: Markers = (),
    embedding_matrix: np.ndarray | None = None,
    precision: Precision = "float32",
    cudnn: bool = True,
) -> keras.Model:
    """Builds the network, untrained; inputs and outputs are described in the module's docstring.

    The order in which layers are made is part of the contract: each draws its initial weights from
    one stream of random numbers, so another order gives other weights for the same seed.

    Args:
        config: the network's settings.
        ids: rows of the embedding table: padding, OOV buckets and tokens.
        max_tokens: the most steps a batch may have.
        labels: number of labels; 2 for the head `sigmoid`, whose one unit is that of label 1.
        markers: the ids of the markers of `config.entities`.
        embedding_matrix: initial embedding `(ids, embedding.units)`; random if None.
        precision: what the layers before the head compute in; their weights are float32.
        cudnn: whether the LSTMs may run as cuDNN's kernel, where there is a GPU.

    Raises:
        ValueError: if settings, labels and matrix do not fit each other.
    """
    _check_sizes(config, ids=ids, labels=labels, markers=markers, embedding_matrix=embedding_matrix)
    regularizer = keras.regularizers.L2(config.l2) if config.l2 else None
    token_ids = keras.Input(shape=(None,), dtype="int32", name="token_ids")
    length = keras.Input(shape=(), dtype="int32", name="length")
    mask = LengthMask(dtype=precision, name="mask")(token_ids, length)
    shared: dict[str, Any] = {"regularizer": regularizer, "precision": precision}
    states = _embed(token_ids, config.embedding, ids=ids, matrix=embedding_matrix, **shared)
    states, final = _run_lstms(states, length, config.lstm, cudnn=cudnn, **shared)
    attention = KINDS[config.attention.kind](
        **_attention_arguments(config, max_tokens=max_tokens, regularizer=regularizer),
        dtype=precision,
        name="attention",
    )
    pooled, weights = attention(states, mask, final)
    if markers:
        entities = EntityPooling(markers=markers, dtype=precision, name="entities")
        pooled = entities(pooled, states, token_ids, mask)
    pooled = keras.layers.Dropout(config.dropout, dtype=precision, name="dropout")(pooled)
    logits = _classify(pooled, mask, config, labels=labels, regularizer=regularizer)
    return keras.Model(
        inputs={"token_ids": token_ids, "length": length},
        outputs={
            "logits": logits,
            "probabilities": probabilities_of(logits, head=config.head),
            "attention": weights,
        },
        name="limelight",
    )


@keras.saving.register_keras_serializable(package="limelight")
class LengthMask(keras.layers.Layer):
    """Marks the real steps of a right-padded batch.

    Call arguments: `token_ids` `(batch, steps)`, of which only the shape is used; `length` int
    `(batch,)`.

    Returns: bool `(batch, steps)`, True before each row's length.
    """

    @override
    def call(self, token_ids: Tensor, length: Tensor) -> Tensor:
        return real_steps(length, ops.shape(token_ids)[1])


@keras.saving.register_keras_serializable(package="limelight")
class LastStep(keras.layers.Layer):
    """The last real step of each row.

    Call arguments: `states` `(batch, steps, width)` and `length` int `(batch,)`.

    Returns: `(batch, width)`, 0 for a row without real steps.
    """

    @override
    def call(self, states: Tensor, length: Tensor) -> Tensor:
        return last_real_step(states, length)


def _embed(
    token_ids: Tensor,
    config: EmbeddingConfig,
    *,
    ids: int,
    matrix: np.ndarray | None,
    regularizer: Any,
    precision: Precision,
) -> Tensor:
    """The vectors of the tokens after dropout, `(batch, steps, units)`."""
    vectors = TokenEmbedding(
        ids,
        config.units,
        embeddings_initializer=keras.initializers.RandomUniform(
            -config.initial_range, config.initial_range
        ),
        embeddings_regularizer=regularizer,
        trainable=config.trainable,
        weights=None if matrix is None else [matrix],
        dtype=precision,
        name="embedding",
    )(token_ids)
    vectors = keras.layers.SpatialDropout1D(
        config.spatial_dropout, dtype=precision, name="embedding_spatial_dropout"
    )(vectors)
    vectors = keras.layers.Dropout(config.dropout, dtype=precision, name="embedding_dropout")(
        vectors
    )
    # One random number for each token: its vector becomes 0 as a whole (Adhikari et al., 2019).
    return keras.layers.Dropout(
        config.word_dropout, noise_shape=(None, None, 1), dtype=precision, name="word_dropout"
    )(vectors)


def _run_lstms(
    states: Tensor,
    length: Tensor,
    config: LSTMConfig,
    *,
    regularizer: Any,
    precision: Precision,
    cudnn: bool,
) -> tuple[Tensor, Tensor]:
    """The states of the last recurrent layer, `(batch, steps, width)`, and its final state.

    Without recurrent layers they are the vectors of the tokens, and that of the last one.
    """
    final = (
        LastStep(dtype=precision, name="last_step")(states, length) if not config.layers else None
    )
    for number in range(1, config.layers + 1):
        states, final = BiLSTM(
            config.units,
            bidirectional=config.bidirectional,
            merge=config.merge,
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
            regularizer=regularizer,
            cudnn=cudnn,
            dtype=precision,
            name=f"bilstm_{number}",
        )(states, length)
    return states, final


def _attention_arguments(
    config: NetworkConfig, *, max_tokens: int, regularizer: Any
) -> dict[str, Any]:
    """The constructor's arguments of the layer that `config.attention.kind` names."""
    if config.attention.kind == "none":
        return {"bidirectional": config.directions == 2}
    if config.attention.kind in CONTROLS:
        return {}
    arguments = {
        "return_sequences": config.attention.return_sequences,
        "regularizer": regularizer,
    }
    match config.attention.kind:
        case "positional":
            return {**arguments, "max_tokens": max_tokens}
        case "context" | "luong" | "bahdanau":
            return {**arguments, "units": config.attention.units}
        case "multihead":
            sizes = {"units": config.attention.units, "heads": config.attention.heads}
            return {**arguments, **sizes}
        case _:
            return arguments


def _classify(
    pooled: Tensor, mask: Tensor, config: NetworkConfig, *, labels: int, regularizer: Any
) -> Tensor:
    """The head: from the pooled vector to logits, float32 `(batch, labels)`.

    With `attention.return_sequences`, `pooled` has a vector for every step: the head is applied to
    each, and a document's probabilities are the mean over its real steps.
    """
    scores = keras.layers.Dense(
        1 if config.head == "sigmoid" else labels,
        kernel_regularizer=regularizer,
        bias_regularizer=regularizer,
        dtype="float32",
        name="head",
    )(pooled)
    if config.attention.return_sequences:
        exclusive = config.head == "softmax"
        mean = MeanOverSteps(exclusive=exclusive, dtype="float32", name="mean_over_steps")
        scores = mean(scores, mask)
    return two_logits(scores) if config.head == "sigmoid" else scores


def _check_sizes(
    config: NetworkConfig,
    *,
    ids: int,
    labels: int,
    markers: Markers,
    embedding_matrix: np.ndarray | None,
) -> None:
    """Raises `ValueError` for settings that are valid one by one but not together."""
    if config.head == "sigmoid" and labels != 2:
        raise ValueError(
            f"network.head: expected 2 labels for 'sigmoid', got {labels};"
            " use 'softmax' for more, 'multilabel' if a document may have several"
        )
    if config.head == "softmax" and labels < 2:
        raise ValueError(f"network.head: expected 2 labels or more for 'softmax', got {labels}")
    if len(markers) != len(config.entities):
        raise ValueError(
            f"markers: expected those of {len(config.entities)} entities, got {len(markers)}"
        )
    expected = (ids, config.embedding.units)
    if embedding_matrix is not None and embedding_matrix.shape != expected:
        raise ValueError(
            f"embedding_matrix: expected shape {expected} (ids, network.embedding.units),"
            f" got {embedding_matrix.shape}"
        )
