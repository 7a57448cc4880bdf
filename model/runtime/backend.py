"""Which library Keras computes with: TensorFlow or JAX."""

import os
import sys
from typing import Literal, get_args

BackendName = Literal["tensorflow", "jax"]

# Keras reads this variable when it is imported. Without it, Keras would read a file in the user's
# home folder.
VARIABLE = "KERAS_BACKEND"

# Keras takes its number format and its smallest number from a file of this folder: by default in
# the user's home folder, and in /tmp, where anybody can put one, if the home cannot be written.
SETTINGS_VARIABLE = "KERAS_HOME"


def backend_name() -> BackendName:
    """The backend that the variable `KERAS_BACKEND` names; TensorFlow if it is not set.

    Raises:
        ValueError: if it names another one.
    """
    name = os.environ.get(VARIABLE) or "tensorflow"
    if name not in get_args(BackendName):
        raise ValueError(
            f"{VARIABLE}: expected {' or '.join(get_args(BackendName))}, got {name!r}. Set the "
            "variable to one of them, or unset it."
        )
    return "jax" if name == "jax" else "tensorflow"


def use_backend(name: BackendName) -> None:
    """Makes Keras use this backend when it is imported; it must not have been imported before.

    Raises:
        RuntimeError: if Keras already runs on another backend in this process.
    """
    os.environ[VARIABLE] = name
    os.environ.setdefault(SETTINGS_VARIABLE, os.devnull)  # no folder, so no file of settings
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != name:
        raise RuntimeError(
            f"expected a worker whose Keras runs on {name}, got one on "
            f"{keras.backend.backend()}. Start the worker with {VARIABLE}={name}."
        )
