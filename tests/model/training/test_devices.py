"""A training that is mirrored on several devices learns what one on a single device learns."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]

# Virtual devices can only be made in a process that has not started TensorFlow yet.
SCRIPT = """
import json, sys
import keras, numpy as np, tensorflow as tf
from model.layers.classifier import build_classifier
from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig
from model.training.devices import choose_strategy
from model.training.optimizers import OPTIMIZERS
from model.training.compiled_network import batches_per_call

devices = int(sys.argv[1])
[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
ids = rng.integers(1, 20, (64, 6)).astype("int32")
inputs = {"token_ids": ids, "length": rng.integers(1, 7, 64).astype("int32")}
labels = (ids[:, 0] > 10).astype("int64")
network = NetworkConfig(embedding=EmbeddingConfig(units=6), lstm=LSTMConfig(units=4), dropout=0.0)
strategy = choose_strategy([f"CPU:{index}" for index in range(devices)])
with strategy.scope():
    built = build_classifier(network, ids=20, max_tokens=6, labels=2)
    trainee = keras.Model(built.inputs, built.output["logits"])
    trainee.compile(
        OPTIMIZERS["adadelta"](1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=batches_per_call(),
    )
data = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(16)
losses = trainee.fit(data, epochs=3, verbose=0, shuffle=False).history["loss"]
print(json.dumps({"replicas": strategy.num_replicas_in_sync, "losses": losses}))
"""


def _train(devices: int) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(devices)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_learn_what_one_learns():
    one, two = _train(1), _train(2)
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-4)


def test_half_of_the_cores_go_to_each_direction_of_an_lstm():
    script = """
import os
os.sched_getaffinity = lambda _: {0, 1, 2, 3, 4, 5}
import tensorflow as tf
from model.training.devices import share_cores
share_cores()
tf.constant(1.0) + 1
os.sched_getaffinity = lambda _: {0, 1}
share_cores()  # too late, and no error
config = tf.config.threading
print(config.get_intra_op_parallelism_threads(), config.get_inter_op_parallelism_threads())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=240
    )
    assert done.stdout.split() == ["3", "6"], done.stderr[-2000:]
