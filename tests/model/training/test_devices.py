"""The choice of devices, and trainings on several of them, which learn what one device learns."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.config import ConfigError, LSTMConfig, NetworkConfig, TrainingConfig
from model.training import devices as devices_module
from model.training.backends.current import training_backend
from model.training.devices import Devices, batch_size_on, choose_devices, describe_training
from tests.model.training.device_trainings import CASES, FURTHER, HALF, OPTIMIZERS

PROJECT = Path(__file__).resolve().parents[3]
GPUS = Devices(names=("GPU:0", "GPU:1"), cudnn=True, description="2 x NVIDIA L4")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def trainings_of(tmp_path_factory) -> Callable[[str], dict[str, np.ndarray]]:
    """The results of `device_trainings` on a backend."""

    @functools.cache
    def train(backend: str) -> dict[str, np.ndarray]:
        pytest.importorskip(backend)
        path = tmp_path_factory.mktemp("trainings") / f"{backend}.npz"
        run("-m", "tests.model.training.device_trainings", str(path), KERAS_BACKEND=backend)
        with np.load(path) as results:
            return dict(results)

    return train


@pytest.fixture(params=["tensorflow", "jax"])
def trainings(request, trainings_of) -> dict[str, np.ndarray]:
    return trainings_of(request.param)


@pytest.mark.long
@pytest.mark.parametrize("name", [*OPTIMIZERS, *(f"further: {name}" for name in FURTHER)])
def test_both_backends_learn_the_same_from_the_same_initial_weights(trainings_of, name):
    ours, theirs = (trainings_of(backend)[name] for backend in ("tensorflow", "jax"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_two_devices_learn_what_one_learns(trainings, case):
    one, two = trainings[f"{case} on 1"], trainings[f"{case} on 2"]
    assert np.isfinite(one).all()
    np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("case", HALF)
def test_half_precision_learns_on_one_device_and_on_two(trainings, case):
    assert np.isfinite(trainings[case]).all()
    loss_of_each_epoch = trainings[case][-4::2]
    assert loss_of_each_epoch[1] < loss_of_each_epoch[0] < 0.8


def claim_gpus(monkeypatch, *names: str) -> None:
    backend = type(training_backend())
    monkeypatch.setattr(backend, "list_gpus", lambda _: list(names))
    monkeypatch.setattr(backend, "describe_gpu", lambda *_: "NVIDIA L4")


def test_every_gpu_is_used(monkeypatch):
    claim_gpus(monkeypatch, "GPU:0", "GPU:1")
    assert choose_devices(TrainingConfig()) == GPUS
    assert choose_devices(TrainingConfig(gpu="never")) == Devices()
    half = choose_devices(TrainingConfig(mixed_precision="bfloat16"))
    assert half.precision == "mixed_bfloat16"


def test_a_required_gpu_that_is_missing_is_an_error(monkeypatch):
    claim_gpus(monkeypatch)
    with pytest.raises(ConfigError, match=r"^training\.gpu: expected a worker with a GPU"):
        choose_devices(TrainingConfig(gpu="required"))
    on_cpu = choose_devices(TrainingConfig(mixed_precision="float16"))
    assert (on_cpu.precision, on_cpu.cudnn) == ("float32", False)


@pytest.mark.long
@pytest.mark.parametrize("gpu", ["optional", "required", "never"])
def test_devices_can_be_chosen_after_tensorflow_has_started(gpu):
    """Preparing a corpus starts TensorFlow; the training follows in the same process."""
    pytest.importorskip("tensorflow")
    script = f"""
import tensorflow as tf
tf.constant(1.0) + 1
gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
cpus = tf.config.list_physical_devices("CPU")
listed = lambda kind=None: {{"GPU": [gpu], "CPU": cpus}}.get(kind, [*cpus, gpu])
tf.config.list_physical_devices = tf.config.get_visible_devices = listed
tf.config.experimental.get_device_details = lambda device: {{"device_name": "NVIDIA L4"}}
from model.config import TrainingConfig
from model.training.devices import choose_devices, prepare_process
config = TrainingConfig(gpu={gpu!r})
prepare_process(config)
print(choose_devices(config).description)
"""
    expected = "the CPU" if gpu == "never" else "NVIDIA L4"
    assert run("-c", script, KERAS_BACKEND="tensorflow").strip() == expected


def test_gpu_memory_grows_in_every_process_that_imports_the_package():
    script = "import os, model; print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    assert run("-c", script).strip() == "true"


@pytest.mark.long
def test_half_of_the_cores_go_to_each_direction_of_an_lstm():
    pytest.importorskip("tensorflow")
    script = """
import os
os.sched_getaffinity = lambda _: {0, 1, 2, 3, 4, 5}
import tensorflow as tf
from model.config import TrainingConfig
from model.training.devices import prepare_process
prepare_process(TrainingConfig())
tf.constant(1.0) + 1
os.sched_getaffinity = lambda _: {0, 1}
prepare_process(TrainingConfig())  # too late, and no error
config = tf.config.threading
print(config.get_intra_op_parallelism_threads(), config.get_inter_op_parallelism_threads())
"""
    assert run("-c", script, KERAS_BACKEND="tensorflow").split() == ["3", "6"]


def test_the_batch_size_suits_the_devices_unless_the_config_has_one():
    assert batch_size_on(Devices(), TrainingConfig()) == 64
    assert batch_size_on(GPUS, TrainingConfig()) == 1024
    assert batch_size_on(GPUS, TrainingConfig(batch_size=35)) == 35
    assert GPUS.batch_rows(35) == 36


def lines(devices: Devices, *, lstm: LSTMConfig | None = None, **training: object) -> str:
    network = NetworkConfig(lstm=lstm or LSTMConfig())
    return "\n".join(describe_training(devices, TrainingConfig(**training), network))


def test_the_log_says_what_trains_and_why_nothing_faster_does(monkeypatch):
    monkeypatch.setattr(devices_module, "machine_has_gpu", lambda: False)
    assert lines(Devices()) == "training on the CPU, float32, batches of 64 documents"
    assert lines(GPUS) == (
        "training on 2 x NVIDIA L4, float32, batches of 1,024 documents, 512 on each"
    )
    slow = lines(GPUS, lstm=LSTMConfig(recurrent_dropout=0.1))
    assert "the LSTM runs step by step, several times slower" in slow
    assert "no effect on a CPU" in lines(Devices(), mixed_precision="bfloat16")


def test_the_log_says_why_a_gpu_is_not_used(monkeypatch):
    monkeypatch.setattr(devices_module, "machine_has_gpu", lambda: True)
    assert "because training.gpu is never" in lines(Devices(), gpu="never")
    assert "this machine has a GPU that" in lines(Devices())
