"""The devices of a training: every GPU of the worker, or its CPU if the config allows that."""

import contextlib
import dataclasses
import os

import keras

from model.config import ConfigError, NetworkConfig, Precision, TrainingConfig
from model.runtime.cores import usable_cores
from model.runtime.gpu_files import machine_has_gpu
from model.training.backends.current import training_backend

# The documents of a batch if the config does not say: on a CPU, and on each GPU. A GPU computes a
# step of the LSTM for hundreds of documents almost as fast as for a few.
CPU_BATCH_SIZE = 64
GPU_BATCH_SIZE = 512

# What brings a backend with its libraries for GPUs.
_EXTRA = {"tensorflow": "limelight[gpu]", "jax": "limelight[gpu-jax]"}

# The compiler of JAX reads its flags when JAX starts.
_XLA_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Devices:
    """Where and how a network is trained.

    Attributes:
        names: one or several devices, as the backend names them. With several, each has all
            weights and computes a part of every batch.
        precision: what the network computes in; weights, softmax and head stay in float32.
        cudnn: whether the LSTM may run as cuDNN's kernel, which only a GPU has.
        description: for the log, such as `2 x NVIDIA L4`.
    """

    names: tuple[str, ...] = ("cpu:0",)
    precision: Precision = "float32"
    cudnn: bool = False
    description: str = "the CPU"

    def batch_rows(self, batch_size: int) -> int:
        """The rows of a batch: `batch_size`, rounded up to a multiple of the devices."""
        return -(-batch_size // len(self.names)) * len(self.names)


def prepare_process(config: TrainingConfig) -> None:
    """Settings that a backend takes only before it starts; later calls have no effect.

    Preparing a corpus starts TensorFlow, so a process that prepares and trains calls this first.
    Nothing that a training needs to be correct depends on it: it saves time and memory.
    """
    if keras.backend.backend() == "jax":
        flags = os.environ.get("XLA_FLAGS", "")
        if config.deterministic and machine_has_gpu() and _XLA_DETERMINISTIC not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {_XLA_DETERMINISTIC}".strip()
        return
    import tensorflow as tf

    _share_cores()
    if config.gpu == "never":
        with contextlib.suppress(RuntimeError):  # TensorFlow has started: it keeps the GPUs
            tf.config.set_visible_devices([], "GPU")


def _share_cores() -> None:
    """Gives half of the cores that this process may use to each direction of an LSTM.

    The two directions run at the same time. If each used every core for its small matrix products,
    it would spend more time waiting for threads than computing: on 2 cores, the network of
    `tests/benchmarks/bench_training.py` processed 555 reviews a second without this and 904 with
    it.
    """
    import tensorflow as tf

    cores = usable_cores()
    with contextlib.suppress(RuntimeError):  # TensorFlow has started: training is slower
        tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // 2))
        tf.config.threading.set_inter_op_parallelism_threads(cores)


def choose_devices(config: TrainingConfig) -> Devices:
    """The devices that a training uses on this machine. It changes nothing in the process.

    Raises:
        ConfigError: if the config requires a GPU and the backend sees none.
    """
    backend = training_backend()
    gpus = [] if config.gpu == "never" else backend.list_gpus()
    if not gpus:
        if config.gpu == "required":
            raise ConfigError(
                "training.gpu: expected a worker with a GPU, got none that "
                f"{keras.backend.backend()} can see. Ask for one in "
                f"training.resources.accelerator, install {_EXTRA[keras.backend.backend()]} on the "
                "worker, or pass "
                "--set training.gpu=optional."
            )
        return Devices()
    name = backend.describe_gpu(gpus[0])
    return Devices(
        names=tuple(gpus),
        precision=config.gpu_precision,
        cudnn=True,
        description=name if len(gpus) == 1 else f"{len(gpus)} x {name}",
    )


def batch_size_on(devices: Devices, config: TrainingConfig) -> int:
    """The documents of a batch: what the config says, or what suits the devices."""
    if config.batch_size is not None:
        return config.batch_size
    return GPU_BATCH_SIZE * len(devices.names) if devices.cudnn else CPU_BATCH_SIZE


def describe_training(
    devices: Devices, training: TrainingConfig, network: NetworkConfig
) -> list[str]:
    """Lines for the log: what trains, in which precision, and why not something faster."""
    size = batch_size_on(devices, training)
    batches = f"batches of {size:,} documents"
    if len(devices.names) > 1:
        batches += f", {devices.batch_rows(size) // len(devices.names):,} on each"
    lines = [f"training on {devices.description}, {devices.precision}, {batches}"]
    if not devices.cudnn and machine_has_gpu():
        lines.append(
            "the GPU of this machine is not used, because training.gpu is never"
            if training.gpu == "never"
            else f"this machine has a GPU that {keras.backend.backend()} cannot use: install "
            f"{_EXTRA[keras.backend.backend()]}, or check the driver with nvidia-smi"
        )
    if not devices.cudnn and training.mixed_precision:
        lines.append("training.mixed_precision has no effect on a CPU")
    if network.lstm.recurrent_dropout:
        lines.append(
            "the LSTM runs step by step, several times slower, because a fused kernel has no "
            "recurrent dropout (network.lstm.recurrent_dropout)"
        )
    elif devices.precision != "float32" and not training_backend().CUDNN_IN_HALF_PRECISION:
        lines.append(
            f"the LSTM computes in float32, because {keras.backend.backend()} reaches cuDNN's "
            "kernel in float32 alone"
        )
    return lines
