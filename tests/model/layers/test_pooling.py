import numpy as np
import pytest

from model.layers.pooling import FinalPooling, LastPooling, MaxPooling, MeanPooling
from tests.model.layers.pooling_contract import WIDTH, assert_contract

Pooled = tuple[np.ndarray, np.ndarray]


def mean(states: np.ndarray, final: np.ndarray, weights: dict[str, np.ndarray]) -> Pooled:
    return states.sum(axis=0) / len(states), np.full(len(states), 1 / len(states))


def largest(states: np.ndarray, final: np.ndarray, weights: dict[str, np.ndarray]) -> Pooled:
    shares = np.zeros(len(states))
    for unit in range(WIDTH):
        shares[int(np.argmax(states[:, unit]))] += 1 / WIDTH
    return states.max(axis=0), shares


def last(states: np.ndarray, final: np.ndarray, weights: dict[str, np.ndarray]) -> Pooled:
    return states[-1], np.array([0.0] * (len(states) - 1) + [1.0])


def final_of_two(states: np.ndarray, final: np.ndarray, weights: dict[str, np.ndarray]) -> Pooled:
    shares = np.zeros(len(states))
    shares[0] += 0.5
    shares[-1] += 0.5
    return final, shares


def final_of_one(states: np.ndarray, final: np.ndarray, weights: dict[str, np.ndarray]) -> Pooled:
    return final, last(states, final, weights)[1]


@pytest.mark.parametrize(
    ("layer", "reference"),
    [
        (MeanPooling(), mean),
        (MaxPooling(), largest),
        (LastPooling(), last),
        (FinalPooling(bidirectional=True), final_of_two),
        (FinalPooling(bidirectional=False), final_of_one),
    ],
)
def test_pooling_keeps_the_contract(layer, reference) -> None:  # type: ignore[no-untyped-def]
    assert_contract(layer, reference)


def test_a_tied_maximum_counts_only_for_its_first_step() -> None:
    states = np.zeros((1, 3, 2), "float32")
    _, weights = MaxPooling()(states, np.array([[True, True, False]]))
    assert np.asarray(weights).tolist() == [[1.0, 0.0, 0.0]]
