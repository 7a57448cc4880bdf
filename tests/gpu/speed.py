"""The part `speed`: documents a second in training and scoring, beside PyTorch.

Both contenders run the network of `guide_attention_2d` at several widths on the same padded
batches: embedding, bidirectional LSTM, attention with a bias for each position, dropout, head;
training with Adam. Before anything is timed in float32, both must give the same probabilities and
attention for the same weights. Each has a process of its own; they take turns, cell by cell. A step
includes the copy of the batch to the device, and scoring the copy of the results back.

Limelight trains through `keras.Model.fit`, as its own `fit` does, with the metrics that it reports;
PyTorch's loop computes no metrics. Limelight's results repeat to the bit, as by default.
"""

import gc
import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from model.config import TrainingConfig
from model.folded.engine import FoldedEngine
from model.layers.keras_engine import KerasEngine
from model.layers.weights import copy_weights
from model.runtime.cores import usable_cores
from model.training.batches import training_batches
from model.training.devices import GPU_BATCH_SIZE, prepare_process
from model.training.examples import Examples
from tests.gpu.embedding_gradient import measure_embedding_gradients
from tests.gpu.limelight_contender import LimelightContender
from tests.gpu.networks import build_network, draw_documents, network_config
from tests.gpu.speed_cells import (
    BATCHES,
    UNITS,
    Cell,
    Sizes,
    cells,
    host_batches,
    measure,
    median_seconds,
)

if TYPE_CHECKING:
    from tests.gpu.run import Options

# Scoring first: both contenders still have the same weights, so their results can be compared.
MEASUREMENTS = ("score", "train")

DOCUMENTS = 16_384


def run(report: Callable[[str, Any], None], options: "Options") -> None:
    end = time.monotonic() + options.seconds - 10  # a cell that has begun may take longer
    sizes = Sizes(seconds=0.3) if options.tiny else Sizes()
    torch = TorchProcess()
    documents = 64 if options.tiny else DOCUMENTS
    prepare_process(TrainingConfig())  # asks JAX for results that repeat to the bit
    report("input", measure_input(sizes, documents=documents))
    batch = min(GPU_BATCH_SIZE, documents)
    report("embedding gradient, ms", measure_embedding_gradients(sizes, documents=batch))
    for units in UNITS:
        rows = documents * UNITS[0] // units  # wider networks take longer
        report(f"engines, {units} units", measure_engines(sizes, units, documents=rows))
    left_out = []
    for cell in cells(tiny=options.tiny):
        if time.monotonic() < end:
            report(cell.name, run_cell(cell, sizes, torch))
        else:
            left_out.append(cell.name)
    report("not measured for lack of time", left_out)
    torch.stop()


def run_cell(cell: Cell, sizes: Sizes, torch: "TorchProcess") -> dict[str, Any]:
    """The speeds of the contenders, and how far their scores for the first batch are apart."""
    keras.utils.clear_session()  # so that the network of the cell before can be freed
    gc.collect()
    limelight = LimelightContender(cell, host_batches(cell, sizes))
    layers = copy_weights(limelight.network)
    results: dict[str, Any] = {}
    scores: dict[str, Any] = {}
    if "torch" in cell.contenders:  # first, because it gives its memory back
        scores["torch"], results["torch"] = torch.run(cell, sizes, layers)
    if "limelight" in cell.contenders:
        scores["limelight"], results["limelight"] = measure_contender(limelight, cell, sizes)
    both = [found for found in scores.values() if found is not None]
    if len(both) == 2:
        names = ("probability", "attention")
        results["difference"] = {
            name: float(np.abs(ours - theirs).max())
            for name, ours, theirs in zip(names, *both, strict=True)
        }
    return results


def measure_contender(contender: Any, cell: Cell, sizes: Sizes) -> tuple[Any, dict[str, Any]]:
    """What the contender scores for the first batch, and its speeds or errors."""
    speeds: dict[str, Any] = {}
    scores = None
    for name in MEASUREMENTS:
        try:
            speeds[name] = measure(getattr(contender, name), cell, sizes.seconds)._asdict()
            if name == "score":
                scores = contender.score(1)[0]
        except Exception as error:
            speeds[name] = f"{type(error).__name__}: {error}"[:500]
    return scores, speeds


def measure_engines(sizes: Sizes, units: int, *, documents: int) -> dict[str, float]:
    """Documents a second of the CPU engine on all cores, and of the engine `keras` on the GPU.

    Both take flat token ids and return flat attention, as scoring uses them.
    """
    tokens = draw_documents(np.full(documents, sizes.tokens))
    config = network_config(units)
    network = build_network(config)
    engines = {
        "cpu": FoldedEngine(copy_weights(network), config),
        "gpu": KerasEngine(network),
    }
    speeds: dict[str, float] = {"cores of the cpu": usable_cores()}
    for name, engine in engines.items():
        speeds[name] = documents / median_seconds(partial(engine.run, *tokens))
    return speeds


def measure_input(sizes: Sizes, *, documents: int) -> dict[str, float]:
    """Documents a second of the training's batches alone, without a network."""
    ids, row_offsets = draw_documents(np.full(documents, sizes.tokens))
    labels = np.zeros(documents, np.int64)
    weights = np.ones(documents, np.float32)
    examples = Examples(ids=ids, row_offsets=row_offsets, labels=labels, weights=weights)

    def make(batch: int) -> None:
        for _ in training_batches(examples, batch_size=batch, rows=batch, seed=1, epoch=1):
            pass

    return {f"batch {size}": documents / median_seconds(partial(make, size)) for size in BATCHES}


class TorchProcess:
    """PyTorch in a process of its own."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs,), daemon=True).start()
        theirs.close()

    def run(self, cell: Cell, sizes: Sizes, layers: dict[str, Any]) -> tuple[Any, Any]:
        """What it scores for the first batch with these weights, and its speeds or error."""
        self.connection.send((cell, sizes, layers))
        return self.connection.recv()

    def stop(self) -> None:
        self.connection.send(None)


def _serve(connection: Connection) -> None:
    from tests.gpu.torch_contender import TorchContender

    while True:
        try:
            message = connection.recv()
        except EOFError:  # the part was stopped for lack of time
            return
        if message is None:
            return
        cell, sizes, layers = message
        try:
            contender = TorchContender(cell, sizes, host_batches(cell, sizes), layers)
            connection.send(measure_contender(contender, cell, sizes))
            contender.close()
        except Exception as error:
            connection.send((None, f"{type(error).__name__}: {error}"[:500]))
