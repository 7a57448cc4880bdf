"""Limelight's side of the part `speed`: the network as `fit` trains it, and its forward pass."""

import dataclasses
from collections import deque
from typing import Any

import jax
import numpy as np

from model.config import TrainingConfig
from model.training.backends.current import training_backend
from model.training.compiled_network import compile_network
from model.training.devices import choose_devices
from tests.gpu.networks import build_network, network_config
from tests.gpu.speed_cells import Batch, Cell, in_turns


class LimelightContender:
    """Trains and scores on the GPU, or on the CPU if there is none."""

    def __init__(self, cell: Cell, batches: list[Batch]) -> None:
        config = network_config(cell.units)
        training = TrainingConfig(batch_size=cell.batch)
        devices = dataclasses.replace(choose_devices(training), precision=cell.precision)
        self.network = build_network(
            config, precision=cell.precision, cudnn=devices.cudnn and not cell.scan
        )
        self.trainee = compile_network(
            self.network, head=config.head, config=training, devices=devices, steps=1
        )
        self.batches = batches
        self.rows = cell.batch

        @jax.jit
        def forward(weights: Any, others: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
            outputs, _ = self.network.stateless_call(weights, others, inputs, training=False)
            return outputs["probabilities"], outputs["attention"]

        self.forward = forward

    def train(self, steps: int) -> None:
        weight = np.ones(self.rows, np.float32)
        batches = [(_inputs(batch), batch.label, weight) for batch in in_turns(self.batches, steps)]
        self.trainee.fit(training_backend().feed(batches), verbose=0, shuffle=False)

    def score(self, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Probabilities of label 1 and attention of each batch, on the host."""
        weights = [variable.value for variable in self.network.trainable_variables]
        others = [variable.value for variable in self.network.non_trainable_variables]
        results: list[tuple[np.ndarray, np.ndarray]] = []
        pending: deque[tuple[Any, Any]] = deque()

        def collect() -> None:
            probabilities, attention = pending.popleft()
            results.append((np.asarray(probabilities)[:, 1], np.asarray(attention)))

        for batch in in_turns(self.batches, steps):
            pending.append(self.forward(weights, others, _inputs(batch)))
            for values in pending[-1]:
                values.copy_to_host_async()
            if len(pending) == 2:  # one is copied while the GPU computes the next
                collect()
        while pending:
            collect()
        return results


def _inputs(batch: Batch) -> dict[str, np.ndarray]:
    return {"token_ids": batch.token_ids, "length": batch.length}
