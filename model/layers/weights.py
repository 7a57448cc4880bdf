"""The weights of a Keras network as NumPy arrays by name, on any backend."""

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from model.layers.bilstm import BiLSTM
from model.weights import Weights, check_weights


def copy_weights(network: keras.Model) -> dict[str, Weights]:
    """Copies the weights of a network of `model.layers.classifier`.

    Returns:
        float32 arrays by layer and name; `model.weights.weight_shapes` lists them.
    """
    return {
        layer: {name: np.array(variable, np.float32) for name, variable in variables.items()}
        for layer, variables in _variables(network)
    }


def assign_weights(network: keras.Model, weights: Mapping[str, Weights]) -> None:
    """Gives a network the weights that `copy_weights` returned for one of the same settings.

    Raises:
        ValueError: naming the first weight that is missing, unknown or of another shape. The
            network keeps its weights then.
    """
    variables = dict(_variables(network))
    check_weights(
        weights,
        {
            layer: {name: tuple(variable.shape) for name, variable in named.items()}
            for layer, named in variables.items()
        },
    )
    for layer, named in variables.items():
        for name, variable in named.items():
            variable.assign(weights[layer][name])


def _variables(network: keras.Model) -> Iterator[tuple[str, dict[str, keras.Variable]]]:
    """Each layer that has weights, by name; the two directions of a Bi-LSTM are layers here.

    Those of an ensemble's network have its name before their own.
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            for name, variables in _variables(layer):
                yield f"{layer.name}.{name}", variables
        elif isinstance(layer, BiLSTM):
            for direction in (layer.forward_lstm, layer.backward_lstm):
                if direction is not None:
                    yield f"{layer.name}.{direction.name}", _by_name(direction)
        elif layer.weights:
            yield layer.name, _by_name(layer)


def _by_name(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    return {variable.name: variable for variable in layer.weights}
