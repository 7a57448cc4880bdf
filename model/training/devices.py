"""The devices of a training: every GPU of the worker, or its CPU if the config allows that."""

import keras
import tensorflow as tf

from model.config import ConfigError, TrainingConfig
from model.runtime.cores import usable_cores


def set_up_devices(config: TrainingConfig) -> None:
    """Configures this process's GPUs, or hides them; call it before a network is built.

    GPU memory is allocated as it is needed, so that several processes can share a GPU. With mixed
    precision, GPUs compute in float16 or bfloat16; weights, softmax and head stay in float32.

    Raises:
        ConfigError: if the config requires a GPU and the worker has none.
    """
    if config.gpu == "never":
        tf.config.set_visible_devices([], "GPU")
    gpus = tf.config.get_visible_devices("GPU")
    if config.gpu == "required" and not gpus:
        raise ConfigError(
            "training.gpu: expected a worker with a GPU, got none that TensorFlow can see. "
            "Ask for one in training.resources.accelerator, install limelight[gpu] on the "
            "worker, or pass --set training.gpu=optional."
        )
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.mixed_precision.set_dtype_policy(config.gpu_precision if gpus else "float32")


def share_cores() -> None:
    """Gives half of the cores that this process may use to each direction of an LSTM.

    The two directions run at the same time. If each used every core for its small matrix products,
    it would spend more time waiting for threads than computing: on 2 cores, the network of
    `tests/benchmarks/bench_training.py` processed 555 reviews a second without this and 904 with
    it. Call it before TensorFlow computes anything; after that it has no effect.
    """
    cores = usable_cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // 2))
        tf.config.threading.set_inter_op_parallelism_threads(cores)
    except RuntimeError:  # TensorFlow has already computed: training is slower, but correct
        return


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """Mirrors the network on all devices if there are several, else uses the only one.

    Args:
        devices: names such as `GPU:0`; None for every visible GPU.
    """
    if devices is None:
        devices = [f"GPU:{index}" for index, _ in enumerate(tf.config.get_visible_devices("GPU"))]
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()
