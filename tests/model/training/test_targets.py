import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import SoftLabelsConfig
from model.training.targets import (
    change_temperature,
    hard_labels_of,
    has_label,
    mix_targets,
    most_likely_labels,
    targets_of,
    truth_of_documents,
)

NONE = [np.nan] * 3
LABELS = np.array([0, 2, -1])
SOFT = np.array([[0.2, 0.3, 0.5], NONE, [0.1, 0.7, 0.2]], np.float32)
MULTI_HOT = np.array([[1, 0, 1], [0, 1, 0], [-1, -1, -1]])


def test_hard_and_soft_labels_are_mixed_by_weight() -> None:
    targets = mix_targets(LABELS, SOFT, width=3, config=SoftLabelsConfig(weight=0.4))
    expected = [[0.6 + 0.08, 0.12, 0.2], [0, 0, 1], [0.1, 0.7, 0.2]]
    np.testing.assert_allclose(targets, expected, atol=1e-6)
    assert targets.dtype == np.float32


def test_several_labels_are_mixed_one_by_one() -> None:
    targets = mix_targets(MULTI_HOT, SOFT, width=3, config=SoftLabelsConfig(weight=0.25))
    expected = [[0.8, 0.075, 0.875], [0, 1, 0], [0.1, 0.7, 0.2]]
    np.testing.assert_allclose(targets, expected, atol=1e-6)


def test_without_soft_labels_targets_are_the_hard_labels() -> None:
    config = SoftLabelsConfig()
    one_hot = mix_targets(np.array([1, 0]), None, width=3, config=config)
    assert one_hot.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert mix_targets(MULTI_HOT[:2], None, width=3, config=config).tolist() == [
        [1, 0, 1],
        [0, 1, 0],
    ]


LOGITS = st.lists(st.floats(-8, 8), min_size=2, max_size=5)


@given(LOGITS, st.floats(0.1, 10), st.floats(0.1, 1))
def test_a_temperature_divides_the_logits_of_the_teacher(
    logits: list[float], temperature: float, total: float
) -> None:
    def softmax(values: np.ndarray) -> np.ndarray:
        exponentials = np.exp(values - values.max())
        return exponentials / exponentials.sum()

    energies = np.array(logits)
    given_ = (total * softmax(energies))[None]  # exclusive ones need not sum to 1
    found = change_temperature(given_, temperature, exclusive=True)
    np.testing.assert_allclose(found[0], softmax(energies / temperature), atol=1e-5)
    found = change_temperature(1 / (1 + np.exp(-energies[None])), temperature, exclusive=False)
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-energies / temperature)), atol=1e-5)


@pytest.mark.parametrize("exclusive", [True, False])
def test_sure_teachers_and_low_temperatures_give_numbers(exclusive: bool) -> None:
    probabilities = np.array([[1, 0], [1e-30, 2e-30], [0, 1]], np.float32)
    found = change_temperature(probabilities, 0.01, exclusive=exclusive)
    expected = [[1, 0], [0, 1], [0, 1]] if exclusive else [[1, 0], [0, 0], [0, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_most_likely_labels_stand_in_for_hard_ones() -> None:
    assert most_likely_labels(LABELS, SOFT).tolist() == [0, 2, 1]
    assert most_likely_labels(MULTI_HOT, SOFT).tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    for labels in (LABELS, MULTI_HOT):
        assert has_label(labels).tolist() == [True, True, False]


@pytest.mark.parametrize("labels", [LABELS, MULTI_HOT])
def test_the_truth_of_a_batch_holds_targets_and_hard_labels(labels: np.ndarray) -> None:
    config = SoftLabelsConfig()
    truth = truth_of_documents(labels, SOFT, config)
    assert truth.dtype == np.float32
    targets = mix_targets(labels, SOFT, width=3, config=config)
    np.testing.assert_array_equal(targets_of(truth, targets), targets)
    np.testing.assert_array_equal(hard_labels_of(truth, targets), labels.reshape(3, -1))
