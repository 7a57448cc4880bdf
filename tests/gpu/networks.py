"""Networks with random weights and documents for them, as the parts of `tests.gpu.run` use them."""

import contextlib
from typing import Any, NamedTuple

import keras
import numpy as np

from model.config import AttentionConfig, AttentionKind, LSTMConfig, NetworkConfig
from model.layers.classifier import build_classifier
from model.layers.forward import on_cpu
from model.text.padding import pad_ids

VOCABULARY = 10_000
MAX_TOKENS = 200
SPREAD = 0.1  # as trained weights have it: the LSTM's gates are neither idle nor saturated


class Documents(NamedTuple):
    """Flat token ids: document i is `ids[row_offsets[i] : row_offsets[i + 1]]`."""

    ids: np.ndarray
    row_offsets: np.ndarray

    def padded(self, max_tokens: int = MAX_TOKENS) -> dict[str, np.ndarray]:
        """The inputs of a network."""
        matrix = pad_ids(self.ids, self.row_offsets, max_tokens=max_tokens)
        lengths = np.diff(self.row_offsets)
        return {"token_ids": matrix.astype(np.int32), "length": lengths.astype(np.int32)}


def draw_documents(lengths: np.ndarray, *, vocabulary: int = VOCABULARY) -> Documents:
    """Documents of these lengths, whose tokens are as frequent as Zipf's law says."""
    frequency = 1 / np.arange(1, vocabulary + 1)
    random = np.random.default_rng(0)
    ids = random.choice(vocabulary, int(lengths.sum()), p=frequency / frequency.sum())
    return Documents(ids.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]))


def network_config(units: int = 64, kind: AttentionKind = "positional") -> NetworkConfig:
    """The network of `guide_attention_2d`, or one of another width or kind of attention."""
    return NetworkConfig(
        lstm=LSTMConfig(units=units), attention=AttentionConfig(kind=kind), head="sigmoid"
    )


def build_network(config: NetworkConfig, **arguments: Any) -> keras.Model:
    """The network with random weights; other arguments are those of `build_classifier`."""
    network = build_classifier(config, ids=VOCABULARY, max_tokens=MAX_TOKENS, labels=2, **arguments)
    draw_weights(network)
    return network


def draw_weights(model: keras.Model | keras.Layer) -> None:
    random = np.random.default_rng(2)
    model.set_weights([random.normal(0, SPREAD, weight.shape) for weight in model.weights])


def allow_cudnn(model: keras.Model | keras.Layer, allowed: bool) -> None:
    """Sets for all LSTMs of a model whether they may use cuDNN's kernel."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.LSTM):
            layer.use_cudnn = "auto" if allowed else False


@contextlib.contextmanager
def computing(model: keras.Model | keras.Layer, *, cpu: bool, full_precision: bool = False) -> Any:
    """Inside this context a model is traced for the CPU or for the GPU.

    Args:
        model: its LSTMs may use cuDNN's kernel only on the GPU.
        cpu: compute on the CPU.
        full_precision: without TF32, which rounds the factors of products to 10 bits.
    """
    import jax

    allow_cudnn(model, not cpu)
    try:
        with (
            on_cpu() if cpu else contextlib.nullcontext(),
            jax.default_matmul_precision("highest" if full_precision else None),
        ):
            yield
    finally:
        allow_cudnn(model, True)
