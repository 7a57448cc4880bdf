"""The states of marked entities, which the head gets beside the pooled vector."""

from typing import Any

import keras
from keras import ops
from typing_extensions import override

from model.layers.sequences import Tensor
from model.text.markers import Markers


@keras.saving.register_keras_serializable(package="limelight")
class EntityPooling(keras.layers.Layer):
    """Averages the states of each entity, and puts the means after a pooled vector.

    An entity is what stands between two markers: the tokens after the first opening marker and
    before the first closing one; without a closing one, all tokens after the opening one. Its
    vector is the mean of their states, or 0 if there are none.

    Call arguments: `pooled` `(batch, any)`, `states` `(batch, steps, width)`, `token_ids` int
    `(batch, steps)` and `mask` bool `(batch, steps)`, True at real steps.

    Returns: `(batch, any + entities * width)`.

    Args:
        markers: for each entity the ids of its two markers.

    Reference: Wu & He, "Enriching Pre-trained Language Model with Entity Information for Relation
    Classification", 2019, section 3.2, for the means beside a vector of the whole sentence.
    """

    def __init__(self, *, markers: Markers, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.markers = markers

    @override
    def call(self, pooled: Tensor, states: Tensor, token_ids: Tensor, mask: Tensor) -> Tensor:
        means = [
            mean_between(states, token_ids, mask, opening=opening, closing=closing)
            for opening, closing in self.markers
        ]
        return ops.concatenate([pooled, *means], axis=-1)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "markers": self.markers}


def mean_between(
    states: Tensor, token_ids: Tensor, mask: Tensor, *, opening: int, closing: int
) -> Tensor:
    """The mean of the states between two markers, `(batch, width)`; see `EntityPooling`."""
    opens = ops.cast(ops.equal(token_ids, opening), "int32")
    closes = ops.cast(ops.equal(token_ids, closing), "int32")
    after = ops.cumsum(opens, axis=1) - opens > 0
    before = ops.equal(ops.cumsum(closes, axis=1), 0)
    inside = ops.cast(ops.logical_and(ops.logical_and(after, before), mask), "float32")
    shares = inside / ops.maximum(ops.sum(inside, axis=1, keepdims=True), 1.0)
    return ops.einsum("bt,btw->bw", ops.cast(shares, states.dtype), states)
