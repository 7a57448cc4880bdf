"""Trainings on one and on several devices, in a process whose CPU is divided into two devices.

Run as `python -m tests.model.training.device_trainings FILE.npz`, with KERAS_BACKEND set. A CPU can
be divided only before the backend starts, hence the process.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from model.config import AdversarialConfig, VirtualAdversarialConfig
from model.runtime.backend import backend_name

# Each case: documents, documents of a batch, and further values of the training section.
CASES = {
    "a last batch of one document": (33, 16, {}),
    "an uneven first batch": (35, 35, {}),
    "clipped": (64, 16, {"gradient_clip": 0.01}),
    "adam": (33, 16, {"optimizer": "adam", "learning_rate": 0.01}),
    "averaged over steps": (64, 16, {"optimizer": "adam", "learning_rate": 0.01, "ema_decay": 0.7}),
    "adversarial": (64, 16, {"adversarial": AdversarialConfig(norm=0.5), "gradient_clip": 1.0}),
    "adadelta, balanced": (33, 16, {"optimizer": "adadelta", "class_weights": "balanced"}),
}
HALF = {
    f"{precision} on {number}": (precision, number)
    for precision in ("mixed_float16", "mixed_bfloat16")
    for number in (1, 2)
}

# Learning rates of the trainings that the two backends are compared on.
FURTHER = {
    "adversarial": {"adversarial": AdversarialConfig(norm=0.5)},
    "virtual adversarial": {"virtual_adversarial": VirtualAdversarialConfig(norm=0.5)},
    "entropy": {"entropy_weight": 0.5},
}
OPTIMIZERS = {"adam": 0.01, "adadelta": 1.0, "sgd": 0.5, "rmsprop": 0.01}


def divide_cpu() -> None:
    """Makes two devices of the CPU."""
    if backend_name() == "jax":
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
        return
    import tensorflow as tf

    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def train(
    devices: int,
    rows: int,
    batch_size: int,
    *,
    precision: str = "float32",
    draw: bool = False,
    **training: object,
) -> np.ndarray:
    """The weights after two epochs, end to end, and the loss and accuracy of each epoch.

    With `draw` the initial weights are those of NumPy's generator: backends draw different ones.
    """
    from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig, TrainingConfig
    from model.layers.classifier import build_classifier
    from model.training.devices import Devices
    from model.training.fit import Hooks, TrainingData, fit
    from tests.model.training.made_up_examples import IDS, LABELS, MAX_TOKENS, make_examples

    network = NetworkConfig(
        embedding=EmbeddingConfig(units=6), lstm=LSTMConfig(units=4), dropout=0.0
    )
    values = {"optimizer": "sgd", "learning_rate": 0.5, "epochs": 2, **training}

    def build(devices: Devices) -> Any:
        built = build_classifier(
            network, ids=IDS, max_tokens=MAX_TOKENS, labels=2, precision=devices.precision
        )
        if draw:
            random = np.random.default_rng(0)
            built.set_weights([random.normal(0, 0.3, w.shape) for w in built.get_weights()])
        return built

    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            build,
            TrainingData(train=make_examples(rows), validation=None, labels=LABELS),
            head=network.head,
            config=TrainingConfig(batch_size=batch_size, **values),
            devices=Devices(
                names=tuple(f"cpu:{index}" for index in range(devices)), precision=precision
            ),
            seed=1,
            checkpoints=Path(folder),
            hooks=Hooks(on_batch=lambda _: None, on_epoch=lambda *_: None),
        )
    weights = [np.asarray(weight).ravel() for weight in fitted.network.get_weights()]
    measured = [[row["loss"], row["accuracy"]] for row in fitted.history]
    return np.concatenate([*weights, *measured])


def fixed_noise(shape: Any, **_: object) -> Any:
    """In place of random numbers, which differ from backend to backend."""
    from keras import ops

    rows, steps, units = (ops.cast(ops.arange(shape[axis]), "float32") for axis in range(3))
    return ops.sin(rows[:, None, None] + 2 * steps[:, None] + 5 * units)


if __name__ == "__main__":
    divide_cpu()
    import keras

    results = {
        f"{name} on {number}": train(number, rows, batch_size, **training)
        for name, (rows, batch_size, training) in CASES.items()
        for number in (1, 2)
    }
    for name, (precision, number) in HALF.items():
        results[name] = train(number, 64, 16, precision=precision)
    for optimizer, rate in OPTIMIZERS.items():
        results[optimizer] = train(
            1, 83, 16, draw=True, optimizer=optimizer, learning_rate=rate, gradient_clip=1.0
        )
    keras.random.normal = fixed_noise
    for name, training in FURTHER.items():
        results[f"further: {name}"] = train(1, 83, 16, draw=True, **training)
    np.savez(sys.argv[1], **results)
