"""A GPU computes what the CPU computes.

The CPU runs the same tests, apart from the kinds of attention, whose engines are compared by
`tests/model/scoring/test_engines_agree.py`.
"""

import contextlib
from typing import Any

import keras
import numpy as np
import pytest

from model.config import AttentionKind
from model.folded.engine import FoldedEngine
from model.layers.attention import KINDS
from model.layers.bilstm import BiLSTM
from model.layers.forward import on_cpu
from model.layers.keras_engine import KerasEngine
from model.layers.weights import copy_weights
from tests.gpu.networks import build_network, draw_documents, draw_weights, network_config
from tests.gpu.reference import reference_states
from tests.model.layers.gradients import gradients

ROWS, STEPS, UNITS, FEATURES = 16, 200, 64, 128
LENGTH = np.linspace(1, STEPS, ROWS).astype(np.int32)
REAL = np.arange(STEPS) < LENGTH[:, None]
SEQUENCES = np.random.default_rng(3).normal(0, 0.3, (ROWS, STEPS, FEATURES)).astype(np.float32)


def build_layer(where: str) -> BiLSTM:
    with device(where):
        layer = BiLSTM(UNITS, cudnn=where == "gpu")
        layer.build((None, STEPS, FEATURES))
        draw_weights(layer)
    return layer


def device(where: str) -> Any:
    return on_cpu() if where == "cpu" else contextlib.nullcontext()


def test_states_are_those_of_numpy(where: str, tolerance: float) -> None:
    layer = build_layer(where)
    with device(where):
        states = np.asarray(layer(SEQUENCES, LENGTH)[0])
    expected = reference_states(layer, SEQUENCES, LENGTH)
    np.testing.assert_allclose(states[REAL], expected[REAL], rtol=0, atol=tolerance)


def test_gradients_are_those_of_the_loop_on_the_cpu(where: str, tolerance: float) -> None:
    upstream = np.random.default_rng(4).normal(size=(ROWS, STEPS, 2 * UNITS)) * REAL[..., None]

    def compute(where: str) -> list[np.ndarray]:
        layer = build_layer(where)
        with device(where):
            return gradients(
                lambda: keras.ops.sum(layer(SEQUENCES, LENGTH)[0] * upstream.astype("float32")),
                layer.trainable_variables,
            )

    for found, expected in zip(compute(where), compute("cpu"), strict=True):
        largest = np.abs(expected).max()
        np.testing.assert_allclose(found / largest, expected / largest, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind == "positional" else pytest.mark.gpu) for kind in KINDS],
)
def test_the_engines_agree(where: str, tolerance: float, kind: AttentionKind) -> None:
    config = network_config(kind=kind)
    with device(where):
        network = build_network(config, cudnn=where == "gpu")
    documents = draw_documents(LENGTH)
    found = KerasEngine(network, cpu=where == "cpu").run(*documents)
    expected = FoldedEngine(copy_weights(network), config).run(*documents)
    if kind == "max":  # a state that is second by less than the rounding may win a unit or two
        tolerance += 2 / (2 * UNITS)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
