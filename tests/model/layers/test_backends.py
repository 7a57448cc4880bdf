import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.model.layers.backend_parity import compute_all

ROOT = Path(__file__).parents[3]


@pytest.mark.long
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="the package jax is not installed"
)
def test_network_computes_the_same_on_jax_as_here(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.model.layers.backend_parity", tmp_path / "jax.npz"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]

    found, expected = np.load(tmp_path / "jax.npz"), compute_all()
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)
