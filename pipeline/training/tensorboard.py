"""The history of a training as an events file, which TensorBoard shows."""

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from model.training.history import History

if TYPE_CHECKING:
    import tensorflow as tf

# The format is TensorFlow's. On JAX a training does without TensorFlow, and without these files.
CAN_WRITE_EVENTS = importlib.util.find_spec("tensorflow") is not None


def write_events(path: Path, history: History) -> None:
    """Writes the scalars of every epoch as an events file for TensorBoard.

    The file holds the whole history and is rewritten after each epoch. A training
    that was killed and resumed therefore has one curve, not two that overlap.

    Args:
        path: its name must contain `tfevents`, by which TensorBoard finds it.
        history: rows with `epoch` and `seconds`; each other column becomes a tag:
            `loss` becomes `train/loss`, `validation_loss` becomes `validation/loss`.
    """
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as sink:
        wall_time = time.time() - sum(row["seconds"] for row in history)
        # TensorBoard expects this version in the first record of an events file.
        opening = tf.compat.v1.Event(wall_time=wall_time, file_version="brain.Event:2")
        sink.write(opening.SerializeToString())
        for row in history:
            wall_time += row["seconds"]
            sink.write(_event(row, wall_time=wall_time).SerializeToString())


def _event(row: Mapping[str, float], *, wall_time: float) -> "tf.compat.v1.Event":
    import tensorflow as tf

    values = [
        tf.compat.v1.Summary.Value(tag=_tag(name), simple_value=value)
        for name, value in row.items()
        if name not in ("epoch", "seconds")
    ]
    return tf.compat.v1.Event(
        step=int(row["epoch"]), wall_time=wall_time, summary=tf.compat.v1.Summary(value=values)
    )


def _tag(column: str) -> str:
    """`validation_loss` -> `validation/loss`, `loss` -> `train/loss`."""
    metric = column.removeprefix("validation_")
    return f"train/{column}" if metric == column else f"validation/{metric}"
