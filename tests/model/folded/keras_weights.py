"""The weights of a Keras network in memory, in the form that the folded engine takes."""

import keras
import numpy as np

from model.folded.weights import DIRECTIONS, Weights


def copy_weights(network: keras.Model) -> dict[str, Weights]:
    """The weights of a network of `model.layers.classifier`, as `read_weights_file` names them."""
    layers = {}
    for layer in network.layers:
        for direction in DIRECTIONS:
            lstm = getattr(layer, direction, None)
            if lstm is not None:
                layers[f"{layer.name}.{direction}"] = _by_name(lstm)
        if layer.weights and not hasattr(layer, DIRECTIONS[0]):
            layers[layer.name] = _by_name(layer)
    return layers


def _by_name(layer: keras.layers.Layer) -> Weights:
    return {weight.name: np.array(weight, np.float32) for weight in layer.weights}
