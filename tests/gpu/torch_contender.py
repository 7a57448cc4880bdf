"""PyTorch's side of the part `speed`: the same network as a user of PyTorch would write it."""

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.gpu.speed_cells import Batch, Cell, Sizes, in_turns

DTYPES = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}
DIRECTIONS = {"forward_lstm": "", "backward_lstm": "_reverse"}  # of Keras's -> suffix of PyTorch's


class Classifier(nn.Module):
    """Embedding, bidirectional LSTM, attention with a bias for each position, dropout, head."""

    def __init__(self, units: int, sizes: Sizes) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.embedding)
        self.lstm = nn.LSTM(sizes.embedding, units, bidirectional=True, batch_first=True)
        self.energy = nn.Linear(2 * units, 1, bias=False)
        self.position = nn.Parameter(torch.zeros(sizes.tokens))
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(2 * units, 1)

    def forward(self, token_ids: Any, length: Any) -> tuple[Any, Any]:
        """The logit of label 1 `(batch,)` and the attention `(batch, tokens)`, float32."""
        states, _ = self.lstm(self.embedding(token_ids))
        energies = torch.tanh(self.energy(states).squeeze(-1) + self.position)
        steps = torch.arange(token_ids.shape[1], device=token_ids.device)
        padding = steps >= length[:, None]
        weights = torch.softmax(energies.float().masked_fill(padding, -torch.inf), dim=1)
        pooled = self.dropout(torch.einsum("bt,btw->bw", weights.to(states.dtype), states))
        with torch.autocast(pooled.device.type, enabled=False):
            logit = self.head(pooled.float()).squeeze(-1)
        return logit, weights

    @torch.no_grad()
    def set_weights(self, layers: dict[str, dict[str, np.ndarray]]) -> None:
        """Takes the weights of a Keras network, as `copy_weights` names them."""

        def copy(parameter: torch.Tensor, values: np.ndarray) -> None:
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))

        copy(self.embedding.weight, layers["embedding"]["embeddings"])
        for direction, suffix in DIRECTIONS.items():
            lstm = layers[f"bilstm_1.{direction}"]
            copy(getattr(self.lstm, f"weight_ih_l0{suffix}"), lstm["kernel"].T)
            copy(getattr(self.lstm, f"weight_hh_l0{suffix}"), lstm["recurrent_kernel"].T)
            copy(getattr(self.lstm, f"bias_ih_l0{suffix}"), lstm["bias"])
            getattr(self.lstm, f"bias_hh_l0{suffix}").zero_()
        copy(self.energy.weight, layers["attention"]["kernel"].T)
        copy(self.position, layers["attention"]["bias"])
        copy(self.head.weight, layers["head"]["kernel"].T)
        copy(self.head.bias, layers["head"]["bias"])


class Copy:
    """The results of a batch on their way to the host, behind the GPU's work."""

    def __init__(self, *results: Any) -> None:
        on_gpu = results[0].device.type == "cuda"
        self.copies = [torch.empty(each.shape, pin_memory=on_gpu) for each in results]
        for copy, each in zip(self.copies, results, strict=True):
            copy.copy_(each, non_blocking=True)
        self.done = torch.cuda.Event() if on_gpu else None
        if self.done is not None:
            self.done.record()

    def wait(self) -> tuple[np.ndarray, ...]:
        if self.done is not None:
            self.done.synchronize()
        return tuple(copy.numpy() for copy in self.copies)


class TorchContender:
    """Trains and scores on the GPU, or on the CPU if there is none."""

    def __init__(
        self, cell: Cell, sizes: Sizes, batches: list[Batch], layers: dict[str, Any]
    ) -> None:
        # As JAX does: float32 products may round their factors to TF32. cuDNN may by default.
        torch.set_float32_matmul_precision("high")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.dtype = DTYPES.get(cell.precision)
        self.network = Classifier(cell.units, sizes).to(self.device)
        self.network.set_weights(layers)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=0.001, fused=self.device == "cuda"
        )
        self.scaler = torch.amp.GradScaler(self.device, enabled=self.dtype is torch.float16)
        self.loss = nn.BCEWithLogitsLoss()
        tensors = [[torch.from_numpy(values) for values in batch] for batch in batches]
        if self.device == "cuda":  # pinned memory is copied while the GPU computes
            tensors = [[tensor.pin_memory() for tensor in batch] for batch in tensors]
        self.batches = tensors

    def train(self, steps: int) -> None:
        self.network.train()
        for token_ids, length, label in self._on_device(steps):
            self.optimizer.zero_grad(set_to_none=True)
            with self._autocast():
                logit, _ = self.network(token_ids, length)
                loss = self.loss(logit, label.float())
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self._synchronize()

    @torch.inference_mode()
    def score(self, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Probabilities of label 1 and attention of each batch, on the host."""
        self.network.eval()
        results: list[tuple[np.ndarray, np.ndarray]] = []
        pending: deque[Copy] = deque()
        for token_ids, length, _ in self._on_device(steps):
            with self._autocast():
                logit, weights = self.network(token_ids, length)
            pending.append(Copy(torch.sigmoid(logit), weights))
            if len(pending) == 2:  # one is copied while the GPU computes the next
                results.append(pending.popleft().wait())
        results.extend(copy.wait() for copy in pending)
        return results

    def close(self) -> None:
        """Gives the GPU's memory back."""
        del self.network, self.optimizer, self.batches
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def _on_device(self, steps: int) -> Iterator[list[Any]]:
        for batch in in_turns(self.batches, steps):
            yield [tensor.to(self.device, non_blocking=True) for tensor in batch]

    def _autocast(self) -> Any:
        if self.dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device, self.dtype)

    def _synchronize(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()
