"""The loss that training minimizes, for each head of the network."""

from collections.abc import Callable
from typing import Any

import keras

from model.config import Head


def make_loss(head: Head, *, label_smoothing: float) -> Callable[[Any, Any], Any]:
    """Negative log likelihood of a document's label; for `multilabel`, its mean over all labels.

    Label smoothing by e replaces the true distribution q by (1 - e) q + e / labels.

    Args:
        head: of the network.
        label_smoothing: e.

    Returns:
        A function of the truth, int `(batch,)` or `(batch, labels)` of 0 and 1, and the
        probabilities, float `(batch, labels)`, to the losses, float `(batch,)`.

    Reference: Szegedy et al., 2016, section 7, for smoothing.
    """

    def loss(truth: Any, probabilities: Any) -> Any:
        if head == "multilabel":
            return keras.losses.binary_crossentropy(
                truth, probabilities, label_smoothing=label_smoothing
            )
        one_hot = keras.ops.one_hot(keras.ops.reshape(truth, (-1,)), probabilities.shape[-1])
        return keras.losses.categorical_crossentropy(
            one_hot, probabilities, label_smoothing=label_smoothing
        )

    return loss
