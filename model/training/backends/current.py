"""The implementation of `Backend` for the backend that Keras runs on."""

import keras

from model.training.backends.protocol import Backend


def training_backend() -> Backend:
    """TensorFlow's or JAX's; only that one is imported."""
    if keras.backend.backend() == "jax":
        from model.training.backends.jax_backend import JaxBackend

        return JaxBackend()
    from model.training.backends.tensorflow_backend import TensorFlowBackend

    return TensorFlowBackend()
