"""Networks that predict together: the mean of their probabilities and of their attention.

Networks of other seeds make other errors; the mean of their predictions is more accurate than any
of them (Hansen and Salamon, "Neural network ensembles", 1990).
"""

from collections.abc import Sequence

import keras
from keras import ops

from model.weights import member_name


def average_networks(networks: Sequence[keras.Model]) -> keras.Model:
    """One network for inference, with the inputs of each of the networks.

    Args:
        networks: at least one, of `model.layers.classifier.build_classifier`, of the same inputs
            and labels. They are renamed.

    Returns:
        A network whose outputs are `probabilities` and `attention`. Its layers are the networks, so
        that `model.layers.weights.copy_weights` finds the weights of all of them.
    """
    inputs = {
        "token_ids": keras.Input(shape=(None,), dtype="int32", name="token_ids"),
        "length": keras.Input(shape=(), dtype="int32", name="length"),
    }
    outputs = []
    for number, network in enumerate(networks, 1):
        network.name = member_name(number)
        outputs.append(network(inputs))
    means = {
        name: ops.mean(ops.stack([output[name] for output in outputs]), axis=0)
        for name in ("probabilities", "attention")
    }
    return keras.Model(inputs=inputs, outputs=means, name="ensemble")


def members_of(network: keras.Model) -> list[keras.Model]:
    """The networks of an ensemble; of a network that is none, itself."""
    return [layer for layer in network.layers if isinstance(layer, keras.Model)] or [network]
