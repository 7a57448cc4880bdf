"""The embedding of token ids."""

from typing import Any

import keras
import numpy as np
from keras import ops
from typing_extensions import override

from model.layers.forward import has_gpu
from model.layers.sequences import Tensor

# Added to a variance, so that a unit that is the same for all tokens is not divided by 0.
EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="limelight")
class TokenEmbedding(keras.layers.Embedding):
    """Keras's embedding, with a gradient that repeats to the bit on a GPU with JAX, and is fast.

    Call arguments: `inputs` int32 `(batch, steps)`. Returns: `(batch, steps, output_dim)`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shares: np.ndarray | None = None

    def normalize(self, counts: np.ndarray) -> None:
        """From now on the vectors are normalized: each unit has mean 0 and variance 1.

        Mean and variance are over the tokens of a corpus, so a token counts as often as it occurs.
        They are computed from the table in every step, and gradients pass through them. A network
        that is trained against changes of its vectors could otherwise escape them by longer ones.

        Args:
            counts: of each id in the corpus, `(ids,)`.

        Reference: Miyato, Dai & Goodfellow, "Adversarial Training Methods for Semi-Supervised Text
        Classification", 2017, section 3.
        """
        self._shares = (counts / max(1, counts.sum())).astype(np.float32)[:, None]

    def end_normalization(self) -> None:
        """Gives the table the normalized vectors; the layer is an ordinary embedding again."""
        table = np.array(self.table(), np.float32)
        self._shares = None
        self.embeddings.assign(table)

    def table(self) -> Tensor:
        """The vectors of all ids, normalized if they are in training, float32 `(ids, units)`."""
        table = ops.convert_to_tensor(self.embeddings)
        if self._shares is None:
            return table
        shares = ops.convert_to_tensor(self._shares)
        centered = table - ops.sum(shares * table, axis=0)
        variance = ops.sum(shares * ops.square(centered), axis=0)
        return centered / ops.sqrt(variance + EPSILON)

    @override
    def call(self, inputs: Tensor) -> Tensor:
        on_gpu = keras.backend.backend() == "jax" and has_gpu()
        if self._shares is None and not on_gpu:
            return super().call(inputs)
        if not on_gpu:
            return ops.cast(ops.take(self.table(), inputs, axis=0), self.compute_dtype)
        from model.layers.jax_gather import take_rows

        return ops.cast(take_rows(self.input_dim, self.table(), inputs), self.compute_dtype)
