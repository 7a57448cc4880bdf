"""What the part `speed` measures, and how: the same for every contender."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

# Batches on the host, used in turns; a step includes the copy of its batch to the device.
HOST_BATCHES = 4
REPEATS = 3


class Cell(NamedTuple):
    """One network at one batch size.

    Attributes:
        precision: as `build_classifier` takes it.
        units: of the LSTM, in one direction.
        batch: documents.
        scan: whether the LSTM is a loop over the steps in half precision, in place of cuDNN's
            kernel in float32; JAX has no cuDNN kernel in half precision.
        contenders: who is measured.
    """

    precision: str
    units: int
    batch: int
    scan: bool = False
    contenders: tuple[str, ...] = ("limelight", "torch")

    @property
    def name(self) -> str:
        return f"{self.precision}{' scan' * self.scan}, {self.units} units, batch {self.batch}"


class Sizes(NamedTuple):
    """Of the corpus and of the time to measure for."""

    vocabulary: int = 10_000
    tokens: int = 200
    embedding: int = 128
    labels: int = 2
    seconds: float = 0.9  # of one measurement, all repeats together


class Batch(NamedTuple):
    """token_ids int32 `(documents, tokens)`, length and label int32 `(documents,)`."""

    token_ids: np.ndarray
    length: np.ndarray
    label: np.ndarray


class Speed(NamedTuple):
    """Documents a second: the median, the lowest and the highest; seconds of the first call."""

    documents: float
    lowest: float
    highest: float
    first_call: float


UNITS = (64, 128, 512)  # of one direction
BATCHES = (512, 4096, 64)


def cells(*, tiny: bool) -> list[Cell]:
    """The most important first, because the time may end before the last."""
    half = "mixed_bfloat16"
    sizes = [(8, 4)] if tiny else list(itertools.product(UNITS, BATCHES))
    loops = [(8, 4)] if tiny else [(64, 512), (512, 512)]
    return [
        *(Cell("float32", *size) for size in sizes),
        *(Cell(half, *size) for size in sizes),
        *(Cell(half, *size, scan=True, contenders=("limelight",)) for size in loops),
        # Limelight's speed in float16 is that in bfloat16: its LSTM computes in float32.
        *(Cell("mixed_float16", *size, contenders=("torch",)) for size in sizes),
    ]


def host_batches(cell: Cell, sizes: Sizes) -> list[Batch]:
    """Documents that are all as long as a document can be, so that nothing is padding."""
    random = np.random.default_rng(0)
    shape = (cell.batch, sizes.tokens)
    return [
        Batch(
            random.integers(1, sizes.vocabulary, shape).astype(np.int32),
            np.full(cell.batch, sizes.tokens, np.int32),
            random.integers(0, sizes.labels, cell.batch).astype(np.int32),
        )
        for _ in range(HOST_BATCHES)
    ]


def in_turns(batches: Sequence[Batch], steps: int) -> Iterator[Batch]:
    """So many batches, the same ones again and again."""
    return itertools.islice(itertools.cycle(batches), steps)


def measure(run: Callable[[int], object], cell: Cell, seconds: float) -> Speed:
    """Times `run(steps)`, which returns when the device has done so many batches.

    The first call compiles and is not timed with the others. The number of steps is chosen so that
    all repeats together take about `seconds`.
    """
    first_call = _time(run, 1)
    _time(run, 2)
    steps = max(2, round(seconds / REPEATS / (_time(run, 3) / 3)))
    speeds = sorted(cell.batch * steps / _time(run, steps) for _ in range(REPEATS))
    return Speed(statistics.median(speeds), speeds[0], speeds[-1], first_call)


def _time(run: Callable[[int], object], steps: int) -> float:
    begin = time.perf_counter()
    run(steps)
    return time.perf_counter() - begin


def median_seconds(run: Callable[[], object]) -> float:
    """Of several runs, without the first."""
    run()
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
