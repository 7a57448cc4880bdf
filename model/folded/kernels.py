"""Compiled kernels of the folded engine: LSTM steps, projections, dot products.

Measured for the LSTM layer alone, in documents per second (one AVX-512 core, 64 units per
direction, 200 tokens). OpenBLAS reaches 8,900 for the recurrent products alone, without gates.

     6,500   the product is computed in blocks, and the gates in Numba loops over its result
     9,300   the gates are computed from the sums while these are in registers
    12,500   also, each block of documents runs through all its steps before the
             next block starts, so that its states stay in the first-level cache

The sums of a row have the same terms in the same order, whatever other rows are in its block. A
row's result is therefore the same to the bit, whatever its neighbors are.

Widths must be multiples of `REGISTER_FLOATS`. Callers pad them with weights of 0; a unit whose
weights are all 0 stays 0.
"""

import functools

import numpy as np
from numba.core import cgutils, types

from model.folded import llvm_code
from model.folded.llvm_code import (
    BLOCK_COLUMNS,
    BLOCK_ROWS,
    INDEX,
    REGISTER_FLOATS,
    Block,
    Builder,
    Register,
    Value,
    emitted,
    move_pointer,
    row_pointers,
)
from model.runtime.compilation import compiled, compiled_with


@emitted(types.void)
def _lstm_block(
    builder: Builder,
    initial: Value,
    inputs: Value,
    states: Value,
    cell_states: Value,
    weights: Value,
    row_offsets: Value,
    block: Value,
    units: Value,
    input_depth: Value,
    state_depth: Value,
) -> None:
    """Runs one step of `REGISTER_FLOATS` units, those of `block`, for `BLOCK_ROWS` rows.

    `row_offsets` `(BLOCK_ROWS, 4)` says where each row begins in `initial`, in `inputs`, in the
    states before and in the states after the step. `cell_states` `(BLOCK_ROWS, units)` is
    updated. `state_depth` is `units`, or 0 at the first step.

    The cell is that of Hochreiter & Schmidhuber with a forget gate. Its sigmoids are computed as
    (1 + tanh(x / 2)) / 2; `interleave_gates` has already divided their weights by 2.
    """
    pointers = functools.partial(row_pointers, builder, row_offsets=row_offsets, columns=4)
    initial_rows = pointers(initial, column=0)
    sums = Block(
        builder, [move_pointer(builder, row, block, BLOCK_COLUMNS) for row in initial_rows]
    )
    depth = builder.add(input_depth, units)
    input_weights = move_pointer(builder, weights, block, depth, BLOCK_COLUMNS)
    state_weights = move_pointer(builder, input_weights, input_depth, BLOCK_COLUMNS)
    sums.add_product(pointers(inputs, column=1), input_weights, input_depth)
    sums.add_product(pointers(states, column=2), state_weights, state_depth)

    new_states = pointers(states, column=3)
    for row, (new_state, gates) in enumerate(zip(new_states, sums.rows(), strict=True)):
        row_cells = move_pointer(builder, cell_states, units, row)
        cell_pointer = move_pointer(builder, row_cells, block, REGISTER_FLOATS)
        input_gate, forget_gate, cell_gate, output_gate = [gate.tanh() for gate in gates]
        cell_state = Register.load(builder, cell_pointer)
        kept = (forget_gate * 0.5 + 0.5) * cell_state
        cell_state = kept + (input_gate * 0.5 + 0.5) * cell_gate
        cell_state.store(cell_pointer)
        state = (output_gate * 0.5 + 0.5) * cell_state.tanh()
        state.store(move_pointer(builder, new_state, block, REGISTER_FLOATS))


@emitted(types.void)
def _tanh_block(
    builder: Builder,
    biases: Value,
    rows: Value,
    output: Value,
    weights: Value,
    row_offsets: Value,
    block: Value,
    depth: Value,
) -> None:
    """Computes tanh(rows W + biases), for `BLOCK_ROWS` rows and the columns of `block`.

    `row_offsets` `(BLOCK_ROWS, 3)` says where each row begins in `biases`, `rows` and `output`.
    """
    pointers = functools.partial(row_pointers, builder, row_offsets=row_offsets, columns=3)
    bias_rows = pointers(biases, column=0)
    sums = Block(builder, [move_pointer(builder, row, block, BLOCK_COLUMNS) for row in bias_rows])
    block_weights = move_pointer(builder, weights, block, depth, BLOCK_COLUMNS)
    sums.add_product(pointers(rows, column=1), block_weights, depth)
    for row, registers in zip(pointers(output, column=2), sums.rows(), strict=True):
        block_row = move_pointer(builder, row, block, BLOCK_COLUMNS)
        for number, register in enumerate(registers):
            register.tanh().store(move_pointer(builder, block_row, number * REGISTER_FLOATS))


def _dot_product(
    builder: Builder, left: Value, right: Value, depth: Value, *, apply_tanh: bool
) -> Value:
    """The sum of left · right, or of tanh(left) · right, over `depth` floats."""
    total = cgutils.alloca_once_value(builder, Register.filled(builder, 0.0).value)
    steps = cgutils.for_range_slice(builder, INDEX(0), depth, INDEX(REGISTER_FLOATS))
    with steps as (index, _):
        value = Register.load(builder, move_pointer(builder, left, index))
        value = value.tanh() if apply_tanh else value
        product = value * Register.load(builder, move_pointer(builder, right, index))
        builder.store((Register(builder, builder.load(total)) + product).value, total)
    return Register(builder, builder.load(total)).sum()


@emitted(types.float32)
def _dot(builder: Builder, left: Value, right: Value, depth: Value) -> Value:
    return _dot_product(builder, left, right, depth, apply_tanh=False)


@emitted(types.float32)
def _dot_tanh(builder: Builder, left: Value, right: Value, depth: Value) -> Value:
    return _dot_product(builder, left, right, depth, apply_tanh=True)


# The emitted code checks no bounds: what it is told to read must lie in the arrays.
@compiled
def _check_rows(numbers: np.ndarray, count: int, rows: int) -> None:
    if numbers.size != count:
        raise ValueError("expected a row of the other array for each row")
    outside = False
    for number in numbers:  # without a branch, so that it is vectorized
        outside |= (number < 0) | (number >= rows)
    if outside:
        raise ValueError("expected the number of a row, got one that is out of range")


@compiled
def _check_documents(starts: np.ndarray, lengths: np.ndarray, tokens: int) -> None:
    if starts.size != lengths.size:
        raise ValueError("expected a length for each document")
    longest = tokens
    for row in range(starts.size):
        start, length = starts[row], lengths[row]
        if start < 0 or not 1 <= length <= longest or start + length > tokens:
            raise ValueError("expected documents among the tokens, the longest first")
        longest = length


# Longer than 60 lines: half of them are signature and docstring, and Numba compiles the loop as
# one function.
@compiled_with(llvm_code)
def run_lstm(
    initial_row_of_token: np.ndarray,
    input_row_of_token: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    initial: np.ndarray,
    inputs: np.ndarray,
    weights: np.ndarray,
    states: np.ndarray,
    column: int,
    backward: bool,
) -> None:
    """Runs one direction of one layer over a tile of documents.

    A step's gates are the token's row of `initial`, plus its row of `inputs` times W, plus the
    previous state times U. In a folded layer `initial` is the table and `inputs` has no columns; in
    other layers `initial` is the bias and `inputs` holds the states of the layer below.

    Args:
        initial_row_of_token: int64 `(tokens,)`, rows of `initial`.
        input_row_of_token: int64 `(tokens,)`, rows of `inputs`.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1, descending. A block of documents runs for as many
            steps as its first document has tokens, so its documents should be about equally long.
        initial: float32 `(any, 4 * units)`, gates in the order of `interleave_gates`.
        inputs: float32 `(any, depth)`; depth may be 0.
        weights: float32 `(units / REGISTER_FLOATS, depth + units, BLOCK_COLUMNS)`, W above U.
        states: float32 `(tokens + 1, width)`: the columns from `column` on are written. Rows of
            a block that have no token at a step read and write the last row.
        column: the first column of this direction's states.
        backward: whether to run from each document's last token to its first.

    Raises:
        ValueError: if the arrays do not fit one another, or a row or a token is not one of them.
    """
    units = initial.shape[1] // 4
    depth = inputs.shape[1]
    width = states.shape[1]
    if (
        weights.shape != (units // REGISTER_FLOATS, depth + units, BLOCK_COLUMNS)
        or initial.shape[1] != 4 * REGISTER_FLOATS * weights.shape[0]
        or not 0 <= column <= width - units
    ):
        raise ValueError("run_lstm: expected weights and states as wide as the gates")
    _check_documents(starts, lengths, len(states) - 1)
    _check_rows(initial_row_of_token, len(states) - 1, len(initial))
    _check_rows(input_row_of_token, len(states) - 1, len(inputs))
    spare_row = (len(states) - 1) * width + column
    cell_states = np.empty((BLOCK_ROWS, units), np.float32)
    row_offsets = np.empty((BLOCK_ROWS, 4), np.int64)
    for first in range(0, len(lengths), BLOCK_ROWS):
        cell_states[:] = 0
        for step in range(lengths[first]):
            for row in range(BLOCK_ROWS):
                document = first + row
                if document < len(lengths) and step < lengths[document]:
                    position = lengths[document] - 1 - step if backward else step
                    token = starts[document] + position
                    previous = token + (1 if backward else -1)
                    row_offsets[row, 0] = initial_row_of_token[token] * initial.shape[1]
                    row_offsets[row, 1] = input_row_of_token[token] * depth
                    row_offsets[row, 2] = previous * width + column
                    row_offsets[row, 3] = token * width + column
                else:  # no document, or one that ended before this step
                    row_offsets[row, :2] = 0
                    row_offsets[row, 2:] = spare_row
            state_depth = units if step > 0 else 0
            for block in range(units // REGISTER_FLOATS):
                _lstm_block(
                    initial,
                    inputs,
                    states,
                    cell_states,
                    weights,
                    row_offsets,
                    block,
                    units,
                    depth,
                    state_depth,
                )


@compiled_with(llvm_code)
def project(
    rows: np.ndarray, weights: np.ndarray, biases: np.ndarray, bias_of_row: np.ndarray
) -> np.ndarray:
    """tanh(rows W + bias), float32 `(rows, columns)`, where each row has its own bias.

    Args:
        rows: float32 `(rows, depth)`.
        weights: float32 `(columns / BLOCK_COLUMNS, depth, BLOCK_COLUMNS)`: W as `split_columns`
            returns it.
        biases: float32 `(any, columns)`.
        bias_of_row: int64 `(rows,)`: for each row its row of `biases`.

    Raises:
        ValueError: if the arrays do not fit one another.
    """
    count, depth = rows.shape
    columns = biases.shape[1]
    if (
        weights.shape != (columns // BLOCK_COLUMNS, depth, BLOCK_COLUMNS)
        or columns % BLOCK_COLUMNS != 0
    ):
        raise ValueError("project: expected weights that fit the rows and the biases")
    _check_rows(bias_of_row, count, len(biases))
    # Blocks write the rows past the end to the last row, which is not returned.
    output = np.empty((count + 1, columns), np.float32)
    row_offsets = np.empty((BLOCK_ROWS, 3), np.int64)
    for block in range(columns // BLOCK_COLUMNS):
        for first in range(0, count, BLOCK_ROWS):
            for number in range(BLOCK_ROWS):
                row = min(first + number, count - 1)
                row_offsets[number, 0] = bias_of_row[row] * columns
                row_offsets[number, 1] = row * depth
                row_offsets[number, 2] = min(first + number, count) * columns
            _tanh_block(biases, rows, output, weights, row_offsets, block, depth)
    return output[:count]


@compiled_with(llvm_code)
def dot_rows(
    rows: np.ndarray, vectors: np.ndarray, group_of_row: np.ndarray, apply_tanh: bool
) -> np.ndarray:
    """The dot products of every row with each vector of its group, float32 `(rows, vectors)`.

    Args:
        rows: float32 `(rows, depth)`.
        vectors: float32 `(groups, vectors, depth)`.
        group_of_row: int64 `(rows,)`.
        apply_tanh: whether to take the tanh of the rows first.

    Raises:
        ValueError: if the arrays do not fit one another, or `depth` is no multiple of
            `REGISTER_FLOATS`.
    """
    count, depth = rows.shape
    if vectors.shape[2] != depth or depth % REGISTER_FLOATS != 0:
        raise ValueError("dot_rows: expected vectors as long as the rows, in whole registers")
    _check_rows(group_of_row, count, len(vectors))
    output = np.empty((count, vectors.shape[1]), np.float32)
    for row in range(count):
        for number in range(vectors.shape[1]):
            vector = vectors[group_of_row[row], number]
            if apply_tanh:
                output[row, number] = _dot_tanh(rows[row], vector, depth)
            else:
                output[row, number] = _dot(rows[row], vector, depth)
    return output
