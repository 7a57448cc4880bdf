import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.layers.attention import KINDS
from model.layers.classifier import build_classifier
from tests.model.layers.gradients import gradients

IDS, STEPS, MAX_TOKENS = 20, 5, 9
LENGTH = np.array([5, 3, 1, 2], "int32")
TOKEN_IDS = np.random.default_rng(0).integers(1, IDS, size=(len(LENGTH), STEPS)).astype("int32")
TOKEN_IDS[np.arange(STEPS) >= LENGTH[:, None]] = 0
MASK = TOKEN_IDS > 0


def small(
    *, kind: str = "zhou", return_sequences: bool = False, layers: int = 1, **options: object
) -> NetworkConfig:
    """A network of a few units."""
    return NetworkConfig(
        embedding=EmbeddingConfig(units=6),
        lstm=LSTMConfig(units=4, layers=layers),
        attention=AttentionConfig(
            kind=kind,  # type: ignore[arg-type]
            return_sequences=return_sequences,
            units=5,
            heads=3,
        ),
        **options,  # type: ignore[arg-type]
    )


def built(config: NetworkConfig, labels: int = 2, **options: object) -> keras.Model:
    """A network whose weights, biases included, are random."""
    model = build_classifier(config, ids=IDS, max_tokens=MAX_TOKENS, labels=labels, **options)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
    return model


def predict(
    model: keras.Model, token_ids: np.ndarray = TOKEN_IDS, length: np.ndarray = LENGTH
) -> tuple[np.ndarray, np.ndarray]:
    """`(probabilities, attention)` of a batch."""
    outputs = model({"token_ids": token_ids, "length": length})
    assert set(outputs) == {"logits", "probabilities", "attention"}
    return np.asarray(outputs["probabilities"]), np.asarray(outputs["attention"])


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_keep_their_contract(kind: str) -> None:
    model = built(small(kind=kind), labels=3)

    probabilities, attention = predict(model)

    assert probabilities.shape == (len(LENGTH), 3)
    assert attention.shape == TOKEN_IDS.shape
    assert probabilities.dtype == attention.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    assert (attention >= 0).all()
    assert (attention[~MASK] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_document_does_not_depend_on_padding_or_neighbors(kind: str) -> None:
    model = built(small(kind=kind, layers=2), labels=3)
    probabilities, attention = predict(model)

    # More padding, and other rows beside every row.
    wide = np.pad(TOKEN_IDS, ((0, 0), (0, MAX_TOKENS - STEPS)))[::-1][1:]
    wide_probabilities, wide_attention = predict(model, wide, LENGTH[::-1][1:])
    np.testing.assert_allclose(wide_probabilities, probabilities[::-1][1:], atol=1e-5)
    np.testing.assert_allclose(wide_attention[:, :STEPS], attention[::-1][1:], atol=1e-5)

    # No padding, and no other row.
    for row, n in enumerate(LENGTH[1:3], start=1):
        alone, lone_attention = predict(model, TOKEN_IDS[[row], :n], LENGTH[[row]])
        np.testing.assert_allclose(alone[0], probabilities[row], atol=1e-5)
        np.testing.assert_allclose(lone_attention[0], attention[row, :n], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_is_all_padding_has_finite_probabilities_and_no_attention(kind: str) -> None:
    probabilities, attention = predict(
        built(small(kind=kind)), np.zeros((2, STEPS), "int32"), np.zeros(2, "int32")
    )
    assert np.isfinite(probabilities).all()
    assert (attention == 0).all()


def test_layers_with_weights_have_the_fixed_names() -> None:
    model = built(small(layers=2))
    names = {layer.name for layer in model.layers if layer.weights}
    assert names == {"embedding", "bilstm_1", "bilstm_2", "attention", "head"}
    # Other engines read the weights by these names and shapes.
    cell = model.get_layer("bilstm_2").backward_lstm.cell
    shapes = [weight.shape for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]
    assert shapes == [(8, 16), (4, 16), (16,)]


def test_plain_network_equals_keras_bidirectional_with_a_mask() -> None:
    model = built(small(kind="none"), labels=3)
    reference = keras.Sequential(
        [
            keras.layers.Embedding(IDS, 6, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(4)),
            keras.layers.Dense(3),
        ]
    )
    reference(TOKEN_IDS)
    reference.set_weights(model.get_weights())

    logits = model({"token_ids": TOKEN_IDS, "length": LENGTH})["logits"]
    np.testing.assert_allclose(logits, reference(TOKEN_IDS), atol=1e-5)
    np.testing.assert_allclose(predict(model)[0], ops.softmax(logits), atol=1e-6)


def test_sigmoid_head_is_one_unit_for_two_probabilities() -> None:
    model = built(small(head="sigmoid"))
    assert model.get_layer("head").kernel.shape == (8, 1)

    probabilities, _ = predict(model)

    pooled = keras.Model(model.inputs, model.get_layer("attention").output[0])
    logit = ops.matmul(
        pooled({"token_ids": TOKEN_IDS, "length": LENGTH}), model.get_layer("head").kernel
    )
    second = 1 / (1 + np.exp(-np.asarray(logit + model.get_layer("head").bias)))
    np.testing.assert_allclose(probabilities, np.hstack([1 - second, second]), atol=1e-6)
    logits = model({"token_ids": TOKEN_IDS, "length": LENGTH})["logits"]
    assert (np.asarray(logits)[:, 0] == 0).all()


def test_multilabel_probabilities_do_not_sum_to_one() -> None:
    probabilities, _ = predict(built(small(head="multilabel"), labels=3))
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert np.abs(probabilities.sum(axis=1) - 1).max() > 0.01


@pytest.mark.parametrize("head", ["softmax", "sigmoid", "multilabel"])
@pytest.mark.parametrize("kind", ["zhou", "positional", "luong", "multihead"])
def test_sequence_variant_averages_the_predictions_of_real_steps(kind: str, head: str) -> None:
    model = built(small(kind=kind, head=head, return_sequences=True))
    states = keras.Model(model.inputs, model.get_layer("attention").output[0])
    scores = model.get_layer("head")(states({"token_ids": TOKEN_IDS, "length": LENGTH}))
    steps = np.asarray(ops.softmax(scores) if head == "softmax" else ops.sigmoid(scores))
    assert steps.shape[:2] == TOKEN_IDS.shape

    probabilities, attention = predict(model)

    for row, n in enumerate(LENGTH):
        expected = steps[row, :n].mean(axis=0)
        if head == "sigmoid":
            expected = np.array([1 - expected[0], expected[0]])
        np.testing.assert_allclose(probabilities[row], expected, atol=1e-6)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)


def test_padding_row_of_the_embedding_learns_nothing() -> None:
    model = built(small(layers=2))
    inputs = {"token_ids": TOKEN_IDS, "length": LENGTH}
    table = model.get_layer("embedding").embeddings

    def loss() -> object:
        return -ops.sum(ops.log(model(inputs)["probabilities"][:, 0]))

    (gradient,) = gradients(loss, [table])
    assert (gradient[0] == 0).all()
    assert np.abs(gradient[np.unique(TOKEN_IDS[MASK])]).max(axis=1).min() > 0


@pytest.mark.parametrize("initial_range", [0.05, 0.25])
def test_random_vectors_start_within_the_range(initial_range: float) -> None:
    config = NetworkConfig(embedding=EmbeddingConfig(units=50, initial_range=initial_range))
    network = build_classifier(config, ids=IDS, max_tokens=MAX_TOKENS, labels=2)
    [table] = network.get_layer("embedding").get_weights()
    assert 0.9 * initial_range < np.abs(table).max() <= initial_range


def test_training_starts_from_the_embedding_matrix() -> None:
    matrix = np.random.default_rng(1).normal(size=(IDS, 6)).astype("float32")
    frozen = NetworkConfig(
        embedding=EmbeddingConfig(units=6, trainable=False), lstm=LSTMConfig(units=4)
    )
    model = build_classifier(
        frozen, ids=IDS, max_tokens=MAX_TOKENS, labels=2, embedding_matrix=matrix
    )
    embedding = model.get_layer("embedding")
    np.testing.assert_array_equal(embedding.embeddings, matrix)
    assert not embedding.trainable_variables


def test_l2_is_the_squared_norm_of_every_trained_weight() -> None:
    model = built(small(l2=0.01, layers=2))
    predict(model)
    expected = 0.01 * sum((weight**2).sum() for weight in model.get_weights())
    np.testing.assert_allclose(sum(model.losses), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "dropouts",
    [
        {"embedding": EmbeddingConfig(units=6, dropout=0.5)},
        {"embedding": EmbeddingConfig(units=6, spatial_dropout=0.5)},
        {"embedding": EmbeddingConfig(units=6, word_dropout=0.5)},
        {"lstm": LSTMConfig(units=4, dropout=0.5)},
        {"dropout": 0.5},
    ],
)
def test_each_dropout_acts_only_in_training(dropouts: dict[str, Any]) -> None:
    config = dataclasses.replace(small(), **dropouts)
    model = built(config)
    without = built(small())
    np.testing.assert_array_equal(predict(model)[0], predict(without)[0])
    inputs = {"token_ids": TOKEN_IDS, "length": LENGTH}
    first, again = (model(inputs, training=True)["probabilities"] for _ in range(2))
    assert not np.allclose(first, again)


def test_word_dropout_takes_whole_tokens() -> None:
    config = dataclasses.replace(small(), embedding=EmbeddingConfig(units=6, word_dropout=0.25))
    model = built(config)
    embedded = keras.Model(
        model.inputs,
        {name: model.get_layer(name).output for name in ("embedding", "word_dropout")},
    )
    ids = np.random.default_rng(0).integers(1, IDS, size=(200, STEPS)).astype("int32")
    outputs = embedded({"token_ids": ids, "length": np.full(200, STEPS, "int32")}, training=True)
    vectors, dropped = (np.asarray(outputs[name]) for name in ("embedding", "word_dropout"))
    is_dropped = (dropped == 0).all(axis=-1)
    assert is_dropped.mean() == pytest.approx(0.25, abs=0.05)
    np.testing.assert_allclose(dropped[~is_dropped], vectors[~is_dropped] / 0.75, rtol=1e-5)


@pytest.mark.parametrize("kind", ["zhou", "max"])
def test_training_lowers_the_loss(kind: str) -> None:
    keras.utils.set_random_seed(0)
    model = build_classifier(small(kind=kind), ids=IDS, max_tokens=MAX_TOKENS, labels=2)
    model.compile(
        optimizer=keras.optimizers.Adam(0.05),
        loss={"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    )
    inputs, targets = {"token_ids": TOKEN_IDS, "length": LENGTH}, {"logits": LENGTH > 2}
    losses = model.fit(inputs, targets, epochs=12, batch_size=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_a_model_saved_to_a_file_predicts_the_same(tmp_path: Path) -> None:
    model = built(small(kind="multihead", head="sigmoid", return_sequences=True, l2=0.01))
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    for output, expected in zip(predict(loaded), predict(model), strict=True):
        np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize(
    ("config", "labels", "matrix", "message"),
    [
        (small(head="sigmoid"), 3, None, r"network\.head: expected 2 labels for 'sigmoid', got 3"),
        (small(), 1, None, r"network\.head: expected 2 labels or more for 'softmax', got 1"),
        (
            small(),
            2,
            np.zeros((IDS, 5)),
            r"embedding_matrix: expected shape \(20, 6\) .*, got \(20, 5\)",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(
    config: NetworkConfig, labels: int, matrix: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_classifier(
            config, ids=IDS, max_tokens=MAX_TOKENS, labels=labels, embedding_matrix=matrix
        )
