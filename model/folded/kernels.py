"""Compiled kernels of the folded engine: LSTM steps, projections, dot products.

The inner loops are LLVM instructions, emitted through Numba's `intrinsic`: no
loop in Python makes LLVM keep a block of sums in registers. Measured for the
LSTM layer alone (one AVX-512 core, 64 units a direction, 200 tokens; documents
a second), where OpenBLAS does the recurrent products without any gates at 8,900:

     6,500   a blocked product, gates in Numba loops over its result
     9,300   gates on the sums while they are in registers
    12,500   and every block of documents run through all its steps before the
             next one, so that its states stay in the first-level cache

A row's sums run over the same terms in the same order whatever rows stand
beside it, so its result does not depend on its neighbors, to the bit.

Widths are multiples of LANES: callers fill them up with zero weights, and a
unit all of whose weights are 0 stays 0. What emits and what is emitted share
this file because Numba's disk cache looks at the date of the file that holds a
compiled function, not of those it draws on.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from model.runtime.compilation import compiled

# A block needs 4 * ROWS registers for sums, 4 for weights and 1 or 2 for inputs; there are 32
# of 16 floats with AVX-512, 16 of 8 floats with AVX2. LLVM splits a register that a CPU lacks.
_WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
LANES = 16 if _WIDE else 8  # floats in a register
ROWS = 6 if _WIDE else 2  # rows in a block
COLUMNS = 4 * LANES  # columns in a block; in an LSTM, the 4 gates of LANES units

# tanh(x) = x P(x²) / Q(x²): a minimax fit over |x| <= 7.9, where x is clamped. In float32 the
# error stays below 6e-7 everywhere and no result exceeds 1.
TANH_LIMIT = 7.9
TANH_P = (0.999999523, 0.127141401, 0.00269869575, 7.18517822e-06, -6.1938894e-09)
TANH_Q = (1.0, 0.460472405, 0.0228589103, 0.000197083034)

Builder: TypeAlias = ir.IRBuilder
Value: TypeAlias = ir.Value  # a value of the code being emitted: of a number, a pointer, a register
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INDEX = ir.IntType(64)


class _Lanes:
    """A register of LANES floats in the code being emitted; its operators emit instructions."""

    def __init__(self, builder: Builder, value: Value) -> None:
        self.builder = builder
        self.value = value

    @classmethod
    def load(cls, builder: Builder, pointer: Value) -> "_Lanes":
        return cls(builder, builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4))

    def store(self, pointer: Value) -> None:
        target = self.builder.bitcast(pointer, _VECTOR.as_pointer())
        self.builder.store(self.value, target, align=4)

    @classmethod
    def spread(cls, builder: Builder, scalar: Value) -> "_Lanes":
        """One float in every lane."""
        empty = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(empty, scalar, ir.IntType(32)(0))
        return cls(builder, builder.shuffle_vector(first, empty, _lane_numbers([0] * LANES)))

    def total(self) -> Value:
        """The sum over the lanes, halves added to halves."""
        part, lanes = self.value, LANES
        while lanes > 1:
            lanes //= 2
            low = self.builder.shuffle_vector(part, part, _lane_numbers(range(lanes)))
            high = self.builder.shuffle_vector(part, part, _lane_numbers(range(lanes, 2 * lanes)))
            part = self.builder.fadd(low, high)
        return self.builder.extract_element(part, ir.IntType(32)(0))

    def __add__(self, other: "_Lanes | float") -> "_Lanes":
        return self._emit(self.builder.fadd, other)

    def __mul__(self, other: "_Lanes | float") -> "_Lanes":
        return self._emit(self.builder.fmul, other)

    def __truediv__(self, other: "_Lanes | float") -> "_Lanes":
        return self._emit(self.builder.fdiv, other)

    def clamp(self, limit: float) -> "_Lanes":
        """The nearest value within [-limit, limit]; NaN stays NaN."""
        emit, high, low = self.builder, _constant(limit), _constant(-limit)
        below = emit.select(emit.fcmp_ordered(">", self.value, high), high, self.value)
        return _Lanes(emit, emit.select(emit.fcmp_ordered("<", below, low), low, below))

    def _emit(self, operation: Callable[..., Value], other: "_Lanes | float") -> "_Lanes":
        operand = other.value if isinstance(other, _Lanes) else _constant(other)
        # "contract" makes a product and a sum one fused instruction where the CPU has it.
        return _Lanes(self.builder, operation(self.value, operand, flags=("contract",)))


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [float(np.float32(value))] * LANES)


def _lane_numbers(numbers: Iterable[int]) -> ir.Constant:
    chosen = list(numbers)
    return ir.Constant(ir.VectorType(ir.IntType(32), len(chosen)), chosen)


def _tanh(x: _Lanes) -> _Lanes:
    x = x.clamp(TANH_LIMIT)
    square = x * x
    above, below = square * TANH_P[-1], square * TANH_Q[-1]
    for coefficient in TANH_P[-2:0:-1]:
        above = (above + coefficient) * square
    for coefficient in TANH_Q[-2:0:-1]:
        below = (below + coefficient) * square
    return x * (above + TANH_P[0]) / (below + TANH_Q[0])


def _offset(builder: Builder, pointer: Value, *factors: Value | int) -> Value:
    """`pointer` moved on by the product of `factors`."""
    index = _INDEX(1)
    for factor in factors:
        index = builder.mul(index, _INDEX(factor) if isinstance(factor, int) else factor)
    return builder.gep(pointer, [index])


class _Block:
    """ROWS by 4 registers of sums in the code being emitted."""

    def __init__(self, builder: Builder, starts: list[Value]) -> None:
        """Sums that start as the COLUMNS floats at each row's pointer."""
        self.builder = builder
        self.sums = [
            # Variables of the emitted function, which LLVM turns into registers.
            [cgutils.alloca_once_value(builder, part.value) for part in self._four(start)]
            for start in starts
        ]

    def add_product(self, rows: list[Value], matrix: Value, depth: Value) -> None:
        """Adds the product of the `depth` floats of each row with a matrix `(depth, COLUMNS)`."""
        builder = self.builder
        with cgutils.for_range(builder, depth) as loop:
            weights = self._four(_offset(builder, matrix, loop.index, COLUMNS))
            for row, sums in zip(rows, self.sums, strict=True):
                value = _Lanes.spread(builder, builder.load(_offset(builder, row, loop.index)))
                for weight, total in zip(weights, sums, strict=True):
                    updated = _Lanes(builder, builder.load(total)) + value * weight
                    builder.store(updated.value, total)

    def rows(self) -> list[list[_Lanes]]:
        """The sums, four registers a row."""
        return [[_Lanes(self.builder, self.builder.load(s)) for s in sums] for sums in self.sums]

    def _four(self, pointer: Value) -> list[_Lanes]:
        parts = [_offset(self.builder, pointer, part * LANES) for part in range(4)]
        return [_Lanes.load(self.builder, part) for part in parts]


def _rows(builder: Builder, array: Value, at: Value, *, part: int, parts: int) -> list[Value]:
    """Pointers to the elements of `array` that `at[row, part]` names, for ROWS rows of `at`."""
    places = [_offset(builder, at, row * parts + part) for row in range(ROWS)]
    return [_offset(builder, array, builder.load(place)) for place in places]


def _emitted(returns: types.Type) -> Callable[[Callable[..., Value | None]], Any]:
    """Makes a function that emits code, given a builder, callable from compiled code.

    It gets its arguments as they are in the emitted code: a number's value, an
    array's address.
    """

    def decorate(emit: Callable[..., Value | None]) -> Any:
        def typed(_context: Any, *arguments: types.Type) -> tuple[Any, Callable[..., Value]]:
            def generate(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
                result = emit(
                    builder,
                    *(
                        context.make_array(kind)(context, builder, value).data
                        if isinstance(kind, types.Array)
                        else value
                        for kind, value in zip(signature.args, values, strict=True)
                    ),
                )
                return context.get_dummy_value() if result is None else result

            return returns(*arguments), generate

        # Numba reads the arguments' names off the function; it skips the first, context or builder.
        return intrinsic(functools.update_wrapper(typed, emit))

    return decorate


@_emitted(types.void)
def _lstm_block(
    builder: Builder,
    init: Value,
    source: Value,
    states: Value,
    cell: Value,
    weights: Value,
    at: Value,
    block: Value,
    units: Value,
    source_depth: Value,
    state_depth: Value,
) -> None:
    """One step of the LANES units of `block`, for ROWS rows.

    `at` `(ROWS, 4)` says where each row begins in init, in source, in the
    states before and in the states after the step; `cell` `(ROWS, units)` is
    updated. `state_depth` is `units`, or 0 at the first step.

    Hochreiter & Schmidhuber's cell with a forget gate, its sigmoids as
    (1 + tanh(x / 2)) / 2, of which the weights hold the inner half already.
    """
    pointers = functools.partial(_rows, builder, at=at, parts=4)
    inits = pointers(init, part=0)
    sums = _Block(builder, [_offset(builder, init, block, COLUMNS) for init in inits])
    source_weights = _offset(builder, weights, block, builder.add(source_depth, units), COLUMNS)
    state_weights = _offset(builder, source_weights, source_depth, COLUMNS)
    sums.add_product(pointers(source, part=1), source_weights, source_depth)
    sums.add_product(pointers(states, part=2), state_weights, state_depth)

    for row, (state, gates) in enumerate(zip(pointers(states, part=3), sums.rows(), strict=True)):
        memory_at = _offset(builder, _offset(builder, cell, units, row), block, LANES)
        add, keep, candidate, show = [_tanh(gate) for gate in gates]
        memory = _Lanes.load(builder, memory_at)
        memory = (keep * 0.5 + 0.5) * memory + (add * 0.5 + 0.5) * candidate
        memory.store(memory_at)
        output = (show * 0.5 + 0.5) * _tanh(memory)
        output.store(_offset(builder, state, block, LANES))


@_emitted(types.void)
def _tanh_block(
    builder: Builder,
    init: Value,
    source: Value,
    output: Value,
    weights: Value,
    at: Value,
    block: Value,
    depth: Value,
) -> None:
    """Computes tanh(init + source W), for ROWS rows and the COLUMNS of `block`.

    `at` `(ROWS, 3)` says where each row begins in init, in source, in output.
    """
    pointers = functools.partial(_rows, builder, at=at, parts=3)
    inits = pointers(init, part=0)
    sums = _Block(builder, [_offset(builder, init, block, COLUMNS) for init in inits])
    block_weights = _offset(builder, weights, block, depth, COLUMNS)
    sums.add_product(pointers(source, part=1), block_weights, depth)
    for row, values in zip(pointers(output, part=2), sums.rows(), strict=True):
        for part, value in enumerate(values):
            place = _offset(builder, _offset(builder, row, block, COLUMNS), part * LANES)
            _tanh(value).store(place)


def _dot_product(
    builder: Builder, left: Value, right: Value, depth: Value, *, squash: bool
) -> Value:
    """The sum of left · right, or of tanh(left) · right, over `depth` floats."""
    total = cgutils.alloca_once_value(builder, _constant(0.0))
    with cgutils.for_range_slice(builder, _INDEX(0), depth, _INDEX(LANES)) as (index, _):
        value = _Lanes.load(builder, _offset(builder, left, index))
        value = _tanh(value) if squash else value
        product = value * _Lanes.load(builder, _offset(builder, right, index))
        builder.store((_Lanes(builder, builder.load(total)) + product).value, total)
    return _Lanes(builder, builder.load(total)).total()


@_emitted(types.float32)
def _dot(builder: Builder, left: Value, right: Value, depth: Value) -> Value:
    return _dot_product(builder, left, right, depth, squash=False)


@_emitted(types.float32)
def _dot_tanh(builder: Builder, left: Value, right: Value, depth: Value) -> Value:
    return _dot_product(builder, left, right, depth, squash=True)


@compiled
def run_lstm(
    init_rows: np.ndarray,
    source_rows: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    init: np.ndarray,
    source: np.ndarray,
    weights: np.ndarray,
    states: np.ndarray,
    column: int,
    backward: bool,
) -> None:
    """Runs one direction of one layer over a tile of documents.

    The gates of a step are init + source W + state before U. In a folded layer
    init is the table and the source has no columns; in others init is the bias
    and the source the states of the layer below.

    Args:
        init_rows: int64 `(tokens,)`: for each token its row of `init`.
        source_rows: int64 `(tokens,)`: for each token its row of `source`.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1, descending: a block runs as long
            as its first document, so the others should be about as long.
        init: float32 `(any, 4 * units)`, gates as `interleave_gates` puts them.
        source: float32 `(any, depth)`; depth may be 0.
        weights: float32 `(units / LANES, depth + units, COLUMNS)`, W above U.
        states: float32 `(tokens + 1, width)`, written from `column` on; the last row is spare.
        column: of `states`, this direction's first.
        backward: whether to run from each document's last token to its first.
    """
    units = init.shape[1] // 4
    depth = source.shape[1]
    width = states.shape[1]
    spare = (len(states) - 1) * width + column
    cell = np.empty((ROWS, units), np.float32)
    at = np.empty((ROWS, 4), np.int64)
    for first in range(0, len(lengths), ROWS):
        cell[:] = 0
        for step in range(lengths[first]):
            for row in range(ROWS):
                document = first + row
                if document < len(lengths) and step < lengths[document]:
                    place = lengths[document] - 1 - step if backward else step
                    token = starts[document] + place
                    at[row, 0] = init_rows[token] * init.shape[1]
                    at[row, 1] = source_rows[token] * depth
                    at[row, 2] = (token + (1 if backward else -1)) * width + column
                    at[row, 3] = token * width + column
                else:  # no document, or one at its end
                    at[row, :2] = 0
                    at[row, 2:] = spare
            state_depth = units if step > 0 else 0
            for block in range(units // LANES):
                _lstm_block(
                    init, source, states, cell, weights, at, block, units, depth, state_depth
                )


@compiled
def project(
    rows: np.ndarray, weights: np.ndarray, biases: np.ndarray, bias_of_row: np.ndarray
) -> np.ndarray:
    """tanh(rows W + bias), `(rows, columns)`, every row with a bias of its choice.

    Args:
        rows: float32 `(rows, depth)`.
        weights: float32 `(columns / COLUMNS, depth, COLUMNS)`, W as `split_columns` puts it.
        biases: float32 `(any, columns)`.
        bias_of_row: int64 `(rows,)`: for each row its row of `biases`.
    """
    count, depth = rows.shape
    columns = biases.shape[1]
    output = np.empty((count + 1, columns), np.float32)  # the last row is spare
    at = np.empty((ROWS, 3), np.int64)
    for block in range(columns // COLUMNS):
        for first in range(0, count, ROWS):
            for offset in range(ROWS):
                row = min(first + offset, count - 1)
                at[offset, 0] = bias_of_row[row] * columns
                at[offset, 1] = row * depth
                at[offset, 2] = min(first + offset, count) * columns
            _tanh_block(biases, rows, output, weights, at, block, depth)
    return output[:count]


@compiled
def dot_rows(
    rows: np.ndarray, vectors: np.ndarray, group_of_row: np.ndarray, squash: bool
) -> np.ndarray:
    """The dot products of every row with each vector of its group, `(rows, vectors)`.

    Args:
        rows: float32 `(rows, depth)`.
        vectors: float32 `(groups, vectors, depth)`.
        group_of_row: int64 `(rows,)`.
        squash: whether to take the tanh of the rows first.
    """
    count, depth = rows.shape
    output = np.empty((count, vectors.shape[1]), np.float32)
    for row in range(count):
        for number in range(vectors.shape[1]):
            vector = vectors[group_of_row[row], number]
            if squash:
                output[row, number] = _dot_tanh(rows[row], vector, depth)
            else:
                output[row, number] = _dot(rows[row], vector, depth)
    return output
