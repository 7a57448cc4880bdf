"""What the network computes on one backend, as arrays to compare with another's.

Run as `python -m tests.model.layers.backend_parity FILE.npz`, with KERAS_BACKEND set:
Keras chooses its backend when it is first imported, hence a process for each.
"""

import sys

import keras
import numpy as np
from keras import ops

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig, Precision
from model.layers.attention import KINDS
from model.layers.bilstm import BiLSTM
from model.layers.classifier import LengthMask, build_classifier

TOKEN_IDS = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0], [5, 0, 0, 0, 0]], "int32")
LENGTH = np.array([5, 3, 1], "int32")
MAX_TOKENS = 7
SIZES = {
    "positional": {"max_tokens": MAX_TOKENS},
    "context": {"units": 4},
    "luong": {"units": 4},
    "bahdanau": {"units": 4},
    "multihead": {"units": 4, "heads": 2},
}


def all_kinds(precision: Precision = "float32") -> keras.Model:
    """Every kind over one Bi-LSTM in one model, which compiles faster than a model for each."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    length = keras.Input((), dtype="int32", name="length")
    mask = LengthMask(dtype=precision)(token_ids, length)
    states = keras.layers.Embedding(10, 4, dtype=precision, name="embedding")(token_ids)
    states, _ = BiLSTM(3, dtype=precision, name="bilstm_1")(states, length)
    states, final = BiLSTM(3, merge="sum", dtype=precision, name="bilstm_2")(states, length)
    outputs = {}
    for kind, layer_class in KINDS.items():
        layer = layer_class(**SIZES.get(kind, {}), dtype=precision, name=kind)
        outputs[kind], outputs[f"{kind} attention"] = layer(states, mask, final)
    pooled = ops.concatenate([outputs[kind] for kind in KINDS], axis=-1)
    outputs["logits"] = keras.layers.Dense(2, dtype="float32", name="head")(pooled)
    return keras.Model({"token_ids": token_ids, "length": length}, outputs)


def sequence_classifier() -> keras.Model:
    """The classifier with the options that `all_kinds` does not have."""
    config = NetworkConfig(
        embedding=EmbeddingConfig(units=4),
        lstm=LSTMConfig(units=3),
        attention=AttentionConfig(kind="positional", return_sequences=True),
        dropout=0.0,
        head="sigmoid",
        l2=0.01,
    )
    return build_classifier(config, ids=10, max_tokens=MAX_TOKENS, labels=2)


def compute(model: keras.Model) -> dict[str, np.ndarray]:
    """Outputs before, and weights after, one step of gradient descent from fixed weights."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
    model.compile(
        optimizer=keras.optimizers.SGD(1.0),
        loss={"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
        auto_scale_loss=False,
    )
    inputs = {"token_ids": TOKEN_IDS, "length": LENGTH}
    outputs = model.predict_on_batch(inputs)
    model.train_on_batch(inputs, {"logits": np.array([0, 1, 1])})
    return outputs | {weight.path: np.asarray(weight.value) for weight in model.weights}


def compute_all() -> dict[str, np.ndarray]:
    """`compute` for both models."""
    classifier = compute(sequence_classifier())
    return compute(all_kinds()) | {f"classifier {key}": classifier[key] for key in classifier}


if __name__ == "__main__":
    np.savez(sys.argv[1], **compute_all())
