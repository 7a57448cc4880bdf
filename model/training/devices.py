"""The devices of a training: every GPU of the worker, or the CPU where that is allowed."""

import keras
import tensorflow as tf

from model.config import ConfigError, TrainingConfig
from model.runtime.cores import usable_cores


def set_up_devices(config: TrainingConfig) -> None:
    """Makes this process's GPUs ready, or hides them; called before anything is built.

    GPU memory is taken as it is needed, so that a worker can hold more than one process.
    Mixed precision computes in float16 on GPUs and keeps weights, softmax and head in float32.

    Raises:
        ConfigError: if the config demands a GPU and the worker has none.
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
    mixed = config.mixed_precision and bool(gpus)
    keras.mixed_precision.set_dtype_policy("mixed_float16" if mixed else "float32")


def share_cores() -> None:
    """Gives half of the cores this process may use to each direction of an LSTM.

    The two run side by side, and one that calls every core for each of its small products waits
    for them more than they work: on 2 cores the network of `tests/benchmarks/bench_training.py`
    passed 555 reviews a second without this, 904 with it. To be called before TensorFlow computes
    anything; later it changes nothing.
    """
    cores = usable_cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // 2))
        tf.config.threading.set_inter_op_parallelism_threads(cores)
    except RuntimeError:  # it has computed already, and training is slower but right
        return


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """Mirrors the network on all devices when there are several.

    Args:
        devices: names such as `GPU:0`; None for every visible GPU.
    """
    if devices is None:
        devices = [f"GPU:{index}" for index, _ in enumerate(tf.config.get_visible_devices("GPU"))]
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()
