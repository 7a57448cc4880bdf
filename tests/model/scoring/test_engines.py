"""Which engines `auto` may stand for, and the choice between them by a timed sample."""

import numpy as np
import pytest

from model.layers import forward
from model.scoring import engines, timed_choice
from model.scoring.engines import candidate_engines
from model.scoring.timed_choice import choose_fastest
from tests.model.bundles import make_bundle


@pytest.mark.parametrize("engine", ["keras", "tensorflow", "folded"])
def test_a_named_engine_is_taken(engine):
    assert candidate_engines(engine) == [engine]


def test_auto_is_folded_where_no_device_file_of_a_gpu_exists(monkeypatch):
    monkeypatch.setattr(engines, "machine_has_gpu", lambda: False)
    assert candidate_engines("auto") == ["folded"]


@pytest.mark.parametrize(
    ("usable", "candidates"), [(False, ["folded"]), (True, ["folded", "keras"])]
)
def test_auto_asks_keras_where_a_device_file_exists(monkeypatch, usable, candidates):
    monkeypatch.setattr(engines, "machine_has_gpu", lambda: True)
    monkeypatch.setattr(forward, "has_gpu", lambda: usable)
    assert candidate_engines("auto") == candidates


class Engine:
    """An engine whose runs take a known time on a clock that stands still otherwise."""

    def __init__(self, clock: list[float], *, first: float, later: float) -> None:
        self.clock = clock
        self.seconds = [later, first]

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.clock[0] += self.seconds.pop()
        return ids, row_offsets


@pytest.mark.parametrize(("later", "fastest"), [(0.1, "keras"), (0.9, "folded")])
def test_the_fastest_after_its_first_run_is_chosen(monkeypatch, tmp_path, later, fastest, caplog):
    clock = [0.0]
    monkeypatch.setattr(timed_choice.time, "perf_counter", lambda: clock[0])
    contenders = {
        "folded": Engine(clock, first=0.5, later=0.5),
        "keras": Engine(clock, first=30.0, later=later),  # the first run compiles
    }
    with caplog.at_level("INFO", logger="limelight"):
        assert choose_fastest(contenders, make_bundle(tmp_path / "1")) == fastest
    assert f"auto: {fastest}, because it is the fastest here" in caplog.text
