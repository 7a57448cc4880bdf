"""The optimizers that `training.optimizer` can name, for TensorFlow."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from model.layers.sequences import Tensor


class _WholeGradients:
    """Takes gradients that are already summed over the devices, and clips by their global norm.

    The gradient of an embedding has one row for each token of a batch, so a token that occurs
    twice has two rows. Keras 3.15 counts them as gradients of different weights instead of adding
    them, gets another norm, and makes steps longer or shorter than `global_clipnorm` asks for.
    It also clips before it adds up what several devices computed; here that comes first, in
    `tensorflow_backend`.
    """

    global_clipnorm: float | None

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars

    def _clip_gradients(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if not self.global_clipnorm:
            return gradients
        whole = [tf.convert_to_tensor(each) for each in gradients if each is not None]
        norm = tf.linalg.global_norm(whole)
        scale = self.global_clipnorm / tf.maximum(norm, self.global_clipnorm)

        def shorten(gradient: Any) -> Any:
            if isinstance(gradient, tf.IndexedSlices):
                values = gradient.values * scale
                return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
            return None if gradient is None else gradient * scale

        return [shorten(each) for each in gradients]


@keras.saving.register_keras_serializable(package="limelight")
class Adadelta(_WholeGradients, keras.optimizers.Adadelta):
    """Keras's Adadelta with the update of a variable as one operation.

    The L2 penalty of Zhou et al. gives every row of the embedding a gradient in every step. Keras
    passes over the whole table a dozen times to apply it, which takes longer than the network
    (19,000 words of 100 units, batches of 10: 13 ms). TensorFlow's own kernel passes over it once
    (6 ms).

    Reference: Zeiler, 2012.
    """

    @override
    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
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


class Adam(_WholeGradients, keras.optimizers.Adam):
    """Keras's Adam, clipping by the global norm. Reference: Kingma & Ba, 2015."""


class SGD(_WholeGradients, keras.optimizers.SGD):
    """Keras's SGD, clipping by the global norm."""


class RMSprop(_WholeGradients, keras.optimizers.RMSprop):
    """Keras's RMSprop, clipping by the global norm. Reference: Tieleman & Hinton, 2012."""


OPTIMIZERS: Mapping[str, type[keras.optimizers.Optimizer]] = {
    "adam": Adam,
    "adadelta": Adadelta,
    "sgd": SGD,
    "rmsprop": RMSprop,
}
