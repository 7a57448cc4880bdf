"""Networks in half precision: float32 where it matters, close to float32 elsewhere."""

import keras
import numpy as np
import pytest
from keras import ops

from model.config import CONTROLS, Precision
from model.layers.attention import KINDS
from tests.model.layers.backend_parity import all_kinds, compute
from tests.model.layers.test_classifier import LENGTH, MASK, TOKEN_IDS, built, predict, small

HALF = ["mixed_float16", "mixed_bfloat16"]
# How much a probability or an attention weight of these networks may differ from float32; the
# largest differences measured, on TensorFlow and JAX, were 0.0012 and 0.0045.
HALF_TOLERANCE = {"mixed_float16": 0.004, "mixed_bfloat16": 0.015}
EVERY = [(kind, False) for kind in KINDS] + [(kind, True) for kind in KINDS if kind not in CONTROLS]


@pytest.mark.parametrize("precision", HALF)
@pytest.mark.parametrize(("kind", "return_sequences"), EVERY)
def test_outputs_are_almost_those_of_float32(
    kind: str, return_sequences: bool, precision: Precision
) -> None:
    config = small(kind=kind, return_sequences=return_sequences)
    expected = predict(built(config))
    model = built(config, precision=precision)
    found = predict(model)
    for output, reference in zip(found, expected, strict=True):
        assert output.dtype == np.float32
        if kind != "max" or output is found[0]:  # two states that round to one number tie
            np.testing.assert_allclose(output, reference, atol=HALF_TOLERANCE[precision])
    np.testing.assert_allclose(found[1].sum(axis=1), 1, atol=1e-6)
    assert (found[1][~MASK] == 0).all()


@pytest.mark.parametrize("precision", ["float32", *HALF])
@pytest.mark.parametrize("policy", ["float32", *HALF])
def test_no_layer_reads_the_global_dtype_policy(policy: str, precision: Precision) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = built(small(layers=2, return_sequences=True), precision=precision)
        assert keras.config.dtype_policy().name == policy
    finally:
        keras.config.set_dtype_policy(before)
    inputs = {"token_ids", "length"}
    policies = {
        layer.name: layer.dtype_policy.name
        for parent in model.layers
        if parent.name not in inputs
        for layer in parent._flatten_layers()
    }
    in_float32 = {"head", "mean_over_steps"}
    assert {policies.pop(name) for name in in_float32} == {"float32"}
    assert set(policies.values()) == {precision}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    outputs = model({"token_ids": TOKEN_IDS, "length": LENGTH})
    assert {ops.dtype(output) for output in outputs.values()} == {"float32"}


@pytest.mark.parametrize("precision", HALF)
def test_a_step_is_finite(precision: Precision) -> None:
    model = all_kinds(precision)
    before = [weight.path for weight in model.weights]
    computed = compute(model)
    assert set(before) < set(computed)
    for name, values in computed.items():
        assert np.isfinite(values).all(), name
