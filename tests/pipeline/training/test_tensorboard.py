"""The history as TensorBoard's events."""

import time

import pytest
import tensorflow as tf

from pipeline.training.tensorboard import write_events

HISTORY = [
    {"epoch": 1.0, "loss": 0.5, "validation_macro_f1": 0.75, "seconds": 2.0},
    {"epoch": 2.0, "loss": 0.25, "validation_macro_f1": 0.875, "seconds": 3.0},
]


def test_events_hold_every_scalar_at_its_epoch_once(tmp_path):
    path = tmp_path / "events.out.tfevents.limelight"
    before = time.time()
    write_events(path, HISTORY[:1])
    write_events(path, HISTORY)  # as after a resumed training: no point may occur twice
    version, *events = tf.compat.v1.train.summary_iterator(str(path))
    assert version.file_version == "brain.Event:2"
    found = [
        (event.step, value.tag, value.simple_value)
        for event in events
        for value in event.summary.value
    ]
    assert found == [
        (1, "train/loss", 0.5),
        (1, "validation/macro_f1", 0.75),
        (2, "train/loss", 0.25),
        (2, "validation/macro_f1", 0.875),
    ]
    assert events[1].wall_time - events[0].wall_time == pytest.approx(3)
    assert before <= events[1].wall_time <= time.time()
