import numpy as np
import pytest

from model.folded.kernels import dot_rows, project
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
