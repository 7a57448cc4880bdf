"""Limelight's side of the part `speed`: the network as `fit` trains it and as the engine scores."""

from collections import deque
from typing import Any

import jax
import keras
import numpy as np

from tests.gpu.networks import build_network, network_config
from tests.gpu.speed_cells import Batch, Cell, Sizes, in_turns


class LimelightContender:
    """Trains and scores on JAX's default device."""

    def __init__(self, cell: Cell, sizes: Sizes, batches: list[Batch]) -> None:
        self.network = build_network(network_config(cell.units))
        self.batches = batches
        self.trainee = keras.Model(self.network.inputs, self.network.output["probabilities"])
        self.trainee.compile(
            optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        )

        @jax.jit
        def forward(weights: Any, others: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
            outputs, _ = self.network.stateless_call(weights, others, inputs, training=False)
            return outputs["probabilities"], outputs["attention"]

        self.forward = forward

    def train(self, steps: int) -> None:
        self.trainee.fit(
            (
                ({"token_ids": batch.token_ids, "length": batch.length}, batch.label)
                for batch in in_turns(self.batches, steps)
            ),
            verbose=0,
        )

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
            inputs = {"token_ids": batch.token_ids, "length": batch.length}
            pending.append(self.forward(weights, others, inputs))
            for values in pending[-1]:
                values.copy_to_host_async()
            if len(pending) == 2:  # one is copied while the GPU computes the next
                collect()
        while pending:
            collect()
        return results
