"""The weights of a bundle's network, read without Keras.

Importing TensorFlow takes four seconds; a process that only scores on a CPU avoids that. Keras 3
numbers a layer's weights in the order in which the layer creates them; their names are defined
here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import h5py
import numpy as np

from model.config import AttentionKind

Weights: TypeAlias = dict[str, np.ndarray]  # of one layer: float32, by name

DIRECTIONS = ("forward_lstm", "backward_lstm")  # the sublayers of `model.layers.bilstm.BiLSTM`
LSTM_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
LAYER_WEIGHTS = {"embedding": ("embeddings",), "head": ("kernel", "bias")}
ATTENTION_WEIGHTS: dict[AttentionKind, tuple[str, ...]] = {
    "zhou": ("kernel",),
    "dense": ("kernel", "bias"),
    "positional": ("kernel", "bias"),
    "context": ("kernel", "bias", "context"),
    "luong": ("kernel", "output_kernel"),
    "bahdanau": ("last_kernel", "state_kernel", "energy_kernel", "output_kernel"),
    "multihead": ("kernel", "queries"),
}


def read_weights_file(path: Path, *, kind: AttentionKind) -> dict[str, Weights]:
    """Reads what `keras.Model.save_weights` wrote for a network of `model.layers.classifier`.

    Args:
        path: a file `*.weights.h5`.
        kind: of the network's attention.

    Returns:
        The weights of `embedding`, `attention`, `head` and of each direction of each recurrent
        layer, such as `bilstm_1.forward_lstm`.

    Raises:
        OSError, KeyError: if the file is not one of Keras's weights files.
        ValueError: if a layer does not have as many weights as names.
    """
    names_of = {**LAYER_WEIGHTS, "attention": ATTENTION_WEIGHTS.get(kind, ())}
    layers = {}
    with h5py.File(path, "r") as file:
        for group in file["layers"].values():
            layer = group["vars"].attrs["name"]
            if layer in names_of and len(group["vars"]):
                layers[layer] = dict(zip(names_of[layer], _arrays(group), strict=True))
            for direction in DIRECTIONS:
                if direction in group:
                    arrays = _arrays(group[direction]["cell"])
                    layers[f"{layer}.{direction}"] = dict(zip(LSTM_WEIGHTS, arrays, strict=True))
    return layers


def _arrays(group: h5py.Group) -> Iterator[np.ndarray]:
    for number in range(len(group["vars"])):
        yield np.asarray(group["vars"][str(number)], np.float32)
