import sys

import keras
import pytest

from model.layers.forward import has_gpu


def require_gpu() -> None:
    """Skips the test where the backend sees no GPU."""
    if not has_gpu():
        pytest.skip(f"{keras.backend.backend()} sees no GPU")


@pytest.fixture(scope="module", params=["cpu", pytest.param("gpu", marks=pytest.mark.gpu)])
def where(request: pytest.FixtureRequest) -> str:
    """The device of a test: `make test` runs it on the CPU, `make test-gpu` on the GPU."""
    if request.param == "gpu":
        require_gpu()
    return str(request.param)


@pytest.fixture
def tolerance(where: str) -> float:
    """How far results may be from the CPU's: a GPU may round the factors of products to 10 bits."""
    return 1e-5 if where == "cpu" else 2e-3


@pytest.fixture(params=["claimed", pytest.param("real", marks=pytest.mark.gpu)])
def traced_for_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are traced for a GPU: for the one that is there, or for one that is claimed."""
    if request.param == "claimed":
        claim_gpu(monkeypatch)
    else:
        require_gpu()


def claim_gpu(patch: pytest.MonkeyPatch) -> None:
    """Makes Keras trace for a GPU that is not there: the trace is the same, it cannot be run."""
    backend = keras.backend.backend()
    patch.setattr("model.layers.bilstm.has_gpu", lambda: True)
    patch.setattr("model.layers.block_lstm.has_gpu", lambda: True)
    # The package has a function of the same name as this module.
    patch.setattr(
        sys.modules[f"keras.src.backend.{backend}.rnn"], "_is_gpu_available", lambda: True
    )
    if backend == "jax":
        from jax.experimental import rnn

        sizes = "compute_rnn_workspace_reserve_space_sizes"  # asks the GPU
        patch.setattr(rnn.gpu_rnn, sizes, lambda *_: (1, 1), raising=False)
