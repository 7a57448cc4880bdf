import numpy as np
import pytest
from numba.core.errors import TypingError

from model.folded.kernels import dot_rows, project, run_lstm
from model.folded.layout import split_columns
from model.folded.llvm_code import BLOCK_COLUMNS, BLOCK_ROWS, REGISTER_FLOATS


@pytest.mark.parametrize("rows", [1, BLOCK_ROWS, BLOCK_ROWS + 1, 5 * BLOCK_ROWS - 1])
def test_project_is_the_tanh_of_an_affine_map(rows):
    random = np.random.default_rng(2)
    inputs = random.normal(size=(rows, 37)).astype(np.float32)
    kernel = random.normal(size=(37, 2 * BLOCK_COLUMNS)).astype(np.float32)
    biases = random.normal(size=(3, 2 * BLOCK_COLUMNS)).astype(np.float32)
    bias_of_row = random.integers(0, 3, rows)
    got = project(inputs, split_columns(kernel), biases, bias_of_row)
    expected = np.tanh(inputs.astype(np.float64) @ kernel + biases[bias_of_row])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("apply_tanh", [False, True])
def test_dot_rows_multiplies_each_row_with_its_group(apply_tanh):
    random = np.random.default_rng(3)
    rows = random.normal(0, 3, size=(11, 3 * REGISTER_FLOATS)).astype(np.float32)
    vectors = random.normal(size=(2, 4, 3 * REGISTER_FLOATS)).astype(np.float32)
    group_of_row = random.integers(0, 2, 11)
    got = dot_rows(rows, vectors, group_of_row, apply_tanh)
    values = np.tanh(rows) if apply_tanh else rows
    expected = np.einsum("rd,rvd->rv", values, vectors[group_of_row])
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_tanh_is_accurate_everywhere():
    values = np.concatenate([np.linspace(-12, 12, 100_001), [0, -0.0, 1e-30, 1e30, -1e30]])
    rows = np.zeros((len(values), REGISTER_FLOATS), np.float32)
    rows[:, 0] = values
    first = np.zeros((1, 1, REGISTER_FLOATS), np.float32)
    first[0, 0, 0] = 1
    got = dot_rows(rows, first, np.zeros(len(values), np.int64), True)[:, 0]
    np.testing.assert_allclose(got, np.tanh(rows[:, 0].astype(np.float64)), rtol=1e-6, atol=6e-7)
    assert np.abs(got).max() <= 1


def test_nan_stays_nan():
    rows = np.full((1, REGISTER_FLOATS), np.nan, np.float32)
    vectors = np.ones((1, 1, REGISTER_FLOATS), np.float32)
    assert np.isnan(dot_rows(rows, vectors, np.zeros(1, np.int64), True))


def operands(**changes):
    """Arguments of `project` that fit, but for those that are named."""
    random = np.random.default_rng(4)
    rows = random.normal(size=(6, 8)).astype(np.float32)
    kernel = random.normal(size=(8, 2 * BLOCK_COLUMNS)).astype(np.float32)
    arguments = {
        "rows": rows,
        "weights": split_columns(kernel),
        "biases": np.zeros((2, 2 * BLOCK_COLUMNS), np.float32),
        "bias_of_row": np.zeros(6, np.int64),
    }
    return tuple({**arguments, **changes}.values())


WIDE_ROWS = np.zeros((6, 16), np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": np.asfortranarray(WIDE_ROWS[:, :8] + 1)},
        {"rows": WIDE_ROWS[:, ::2]},
        {"rows": WIDE_ROWS[:, :8].astype(np.float64)},
        {"biases": np.asfortranarray(np.zeros((2, 2 * BLOCK_COLUMNS), np.float32))},
        {"weights": np.zeros((BLOCK_COLUMNS, 8, 2), np.float32).T},
    ],
)
def test_project_refuses_arrays_in_another_layout(changes):
    with pytest.raises(TypingError, match="rows lie one after the other"):
        project(*operands(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": WIDE_ROWS},
        {"weights": np.zeros((1, 8, BLOCK_COLUMNS), np.float32)},
        {"weights": np.zeros((2, 7, BLOCK_COLUMNS), np.float32)},
        {"biases": np.zeros((2, 3 * BLOCK_COLUMNS), np.float32)},
        {"bias_of_row": np.zeros(5, np.int64)},
        {"bias_of_row": np.full(6, 2)},
        {"bias_of_row": np.full(6, -1)},
    ],
)
def test_project_refuses_arrays_that_do_not_fit(changes):
    with pytest.raises(ValueError, match="expected"):
        project(*operands(**changes))


def test_dot_rows_refuses_other_layouts_and_sizes():
    rows = np.ones((4, 2 * REGISTER_FLOATS), np.float32)
    vectors = np.ones((1, 3, 2 * REGISTER_FLOATS), np.float32)
    first = np.zeros(4, np.int64)
    assert (dot_rows(rows, vectors, first, False) == 2 * REGISTER_FLOATS).all()
    for other in (np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
        with pytest.raises(TypingError, match="rows lie one after the other"):
            dot_rows(other, vectors, first, False)
    for changed in (
        (rows[:, :REGISTER_FLOATS].copy(), vectors, first),
        (rows[:, :3].copy(), vectors[:, :, :3].copy(), first),
        (rows, vectors, first + 1),
        (rows, vectors, first[:3]),
    ):
        with pytest.raises(ValueError, match="expected"):
            dot_rows(*changed, False)


def lstm_operands(**changes):
    """Arguments of `run_lstm` that fit, but for those that are named: 3 and 2 tokens."""
    units, depth = 2 * REGISTER_FLOATS, 4
    arguments = {
        "initial_row_of_token": np.zeros(5, np.int64),
        "input_row_of_token": np.zeros(5, np.int64),
        "starts": np.array([0, 3]),
        "lengths": np.array([3, 2]),
        "initial": np.zeros((2, 4 * units), np.float32),
        "inputs": np.zeros((2, depth), np.float32),
        "weights": np.zeros((2, depth + units, BLOCK_COLUMNS), np.float32),
        "states": np.zeros((6, 2 * units), np.float32),
        "column": units,
        "backward": False,
    }
    return tuple({**arguments, **changes}.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"initial_row_of_token": np.full(5, 2)},
        {"initial_row_of_token": np.zeros(4, np.int64)},
        {"input_row_of_token": np.full(5, -1)},
        {"starts": np.array([0, 4])},
        {"starts": np.array([0])},
        {"starts": np.array([-1, 3])},
        {"lengths": np.array([2, 3])},
        {"lengths": np.array([3, 0])},
        {"lengths": np.array([6, 2])},
        {"initial": np.zeros((2, 4 * REGISTER_FLOATS), np.float32)},
        {"initial": np.zeros((2, 8 * REGISTER_FLOATS + 4), np.float32)},
        {"inputs": np.zeros((2, 5), np.float32)},
        {"weights": np.zeros((2, 4 + REGISTER_FLOATS, BLOCK_COLUMNS), np.float32)},
        {"weights": np.zeros((3, 4 + 2 * REGISTER_FLOATS, BLOCK_COLUMNS), np.float32)},
        {"states": np.zeros((6, 3 * REGISTER_FLOATS), np.float32)},
        {"column": -1},
        {"column": 2 * REGISTER_FLOATS + 1},
    ],
)
def test_run_lstm_refuses_arrays_that_do_not_fit(changes):
    run_lstm(*lstm_operands())
    with pytest.raises(ValueError, match="expected"):
        run_lstm(*lstm_operands(**changes))


def test_run_lstm_refuses_states_in_another_layout():
    states = np.asfortranarray(np.zeros((6, 4 * REGISTER_FLOATS), np.float32))
    with pytest.raises(TypingError, match="rows lie one after the other"):
        run_lstm(*lstm_operands(states=states))
