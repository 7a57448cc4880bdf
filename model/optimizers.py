"""The optimizers that a config can name."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from model.sequences import Tensor


@keras.saving.register_keras_serializable(package="limelight")
class Adadelta(keras.optimizers.Adadelta):
    """Keras's Adadelta, a variable's update being one operation.

    The L2 penalty of Zhou et al. gives every row of the embedding a gradient in every step. Keras
    passes over the whole table a dozen times to apply it, which takes longer than the network
    (19,000 words of 100 units, batches of 10: 13 ms); TensorFlow's own kernel passes once (6 ms).

    Reference: Zeiler, 2012.
    """

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Updates one `tf.Variable` and its two accumulators in place."""
        import tensorflow as tf

        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdadelta(
            var=variable.handle,
            accum=self._accumulated_grads[index].value.handle,
            accum_update=self._accumulated_delta_vars[index].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            rho=tf.cast(self.rho, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
        )


OPTIMIZERS: Mapping[str, Callable[..., Any]] = {
    "adam": keras.optimizers.Adam,
    "adadelta": Adadelta,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}
