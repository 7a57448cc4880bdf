"""Emits LLVM instructions that keep blocks of sums in a CPU's vector registers.

The compiled loops of `model.folded.kernels` call functions whose code is emitted here through
Numba's `intrinsic`. If the loop over a block of sums were written in Python, LLVM would not keep
the sums in registers.

The code below runs when Numba compiles; the code that it emits runs later. A `Value` stands for a
value of the emitted code. Emitted code does not check bounds.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic

# A block needs 4 * BLOCK_ROWS registers for sums, 4 for weights and 1 or 2 for inputs; there are 32
# of 16 floats with AVX-512, 16 of 8 floats with AVX2. On other CPUs LLVM uses several smaller ones.
_HAS_AVX512 = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
REGISTER_FLOATS = 16 if _HAS_AVX512 else 8
BLOCK_REGISTERS = 4  # registers that hold one row of a block; in an LSTM, one for each gate
BLOCK_ROWS = 6 if _HAS_AVX512 else 2
BLOCK_COLUMNS = BLOCK_REGISTERS * REGISTER_FLOATS

# tanh(x) = x P(x²) / Q(x²): a minimax fit over |x| <= 7.9; x is clamped to that. In float32 the
# error stays below 6e-7 everywhere and no result exceeds 1.
TANH_LIMIT = 7.9
TANH_P = (0.999999523, 0.127141401, 0.00269869575, 7.18517822e-06, -6.1938894e-09)
TANH_Q = (1.0, 0.460472405, 0.0228589103, 0.000197083034)

Builder: TypeAlias = ir.IRBuilder
Value: TypeAlias = ir.Value  # of the emitted code: a number, a pointer or a register
INDEX = ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), REGISTER_FLOATS)


class Register:
    """A register of `REGISTER_FLOATS` floats in the emitted code; operators emit instructions."""

    def __init__(self, builder: Builder, value: Value) -> None:
        self.builder = builder
        self.value = value

    @classmethod
    def load(cls, builder: Builder, pointer: Value) -> "Register":
        """Reads the floats at `pointer`, which need not be aligned."""
        return cls(builder, builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4))

    @classmethod
    def filled(cls, builder: Builder, scalar: Value | float) -> "Register":
        """Every float is `scalar`: a value of the emitted code, or a constant."""
        if isinstance(scalar, float):
            return cls(builder, _constant(scalar))
        empty = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(empty, scalar, ir.IntType(32)(0))
        zeros = _lane_numbers([0] * REGISTER_FLOATS)
        return cls(builder, builder.shuffle_vector(first, empty, zeros))

    def store(self, pointer: Value) -> None:
        """Writes the floats to `pointer`, which need not be aligned."""
        target = self.builder.bitcast(pointer, _VECTOR.as_pointer())
        self.builder.store(self.value, target, align=4)

    def sum(self) -> Value:
        """The sum of the floats: halves are added until one float is left."""
        part, lanes = self.value, REGISTER_FLOATS
        while lanes > 1:
            lanes //= 2
            low = self.builder.shuffle_vector(part, part, _lane_numbers(range(lanes)))
            high = self.builder.shuffle_vector(part, part, _lane_numbers(range(lanes, 2 * lanes)))
            part = self.builder.fadd(low, high)
        return self.builder.extract_element(part, ir.IntType(32)(0))

    def __add__(self, other: "Register | float") -> "Register":
        return self._emit(self.builder.fadd, other)

    def __mul__(self, other: "Register | float") -> "Register":
        return self._emit(self.builder.fmul, other)

    def __truediv__(self, other: "Register | float") -> "Register":
        return self._emit(self.builder.fdiv, other)

    def clamp(self, limit: float) -> "Register":
        """The nearest value within [-limit, limit]; NaN stays NaN."""
        emit, high, low = self.builder, _constant(limit), _constant(-limit)
        below = emit.select(emit.fcmp_ordered(">", self.value, high), high, self.value)
        return Register(emit, emit.select(emit.fcmp_ordered("<", below, low), low, below))

    def tanh(self) -> "Register":
        """The hyperbolic tangent, by `TANH_P` and `TANH_Q`."""
        x = self.clamp(TANH_LIMIT)
        square = x * x
        above, below = square * TANH_P[-1], square * TANH_Q[-1]
        for coefficient in TANH_P[-2:0:-1]:
            above = (above + coefficient) * square
        for coefficient in TANH_Q[-2:0:-1]:
            below = (below + coefficient) * square
        return x * (above + TANH_P[0]) / (below + TANH_Q[0])

    def _emit(self, operation: Callable[..., Value], other: "Register | float") -> "Register":
        operand = other.value if isinstance(other, Register) else _constant(other)
        # "contract" allows one fused instruction for a product and a sum, if the CPU has it.
        return Register(self.builder, operation(self.value, operand, flags=("contract",)))


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [float(np.float32(value))] * REGISTER_FLOATS)


def _lane_numbers(numbers: Iterable[int]) -> ir.Constant:
    chosen = list(numbers)
    return ir.Constant(ir.VectorType(ir.IntType(32), len(chosen)), chosen)


class Block:
    """`BLOCK_ROWS` rows of `BLOCK_REGISTERS` registers of sums in the emitted code.

    Args:
        builder: emits the code.
        initial_rows: pointers to the `BLOCK_COLUMNS` floats that each row starts from.
    """

    def __init__(self, builder: Builder, initial_rows: list[Value]) -> None:
        self.builder = builder
        self.sums = [
            # Variables of the emitted function, which LLVM turns into registers.
            [cgutils.alloca_once_value(builder, part.value) for part in self._load_row(pointer)]
            for pointer in initial_rows
        ]

    def add_product(self, rows: list[Value], matrix: Value, depth: Value) -> None:
        """Adds rows of `depth` floats, times a matrix `(depth, BLOCK_COLUMNS)`, to the sums."""
        builder = self.builder
        with cgutils.for_range(builder, depth) as loop:
            weights = self._load_row(move_pointer(builder, matrix, loop.index, BLOCK_COLUMNS))
            for row, sums in zip(rows, self.sums, strict=True):
                scalar = builder.load(move_pointer(builder, row, loop.index))
                value = Register.filled(builder, scalar)
                for weight, total in zip(weights, sums, strict=True):
                    updated = Register(builder, builder.load(total)) + value * weight
                    builder.store(updated.value, total)

    def rows(self) -> list[list[Register]]:
        """The sums, `BLOCK_REGISTERS` registers per row."""
        return [[Register(self.builder, self.builder.load(s)) for s in sums] for sums in self.sums]

    def _load_row(self, pointer: Value) -> list[Register]:
        return [
            Register.load(self.builder, move_pointer(self.builder, pointer, part * REGISTER_FLOATS))
            for part in range(BLOCK_REGISTERS)
        ]


def move_pointer(builder: Builder, pointer: Value, *factors: Value | int) -> Value:
    """`pointer`, advanced by the product of `factors` in elements."""
    elements = INDEX(1)
    for factor in factors:
        elements = builder.mul(elements, INDEX(factor) if isinstance(factor, int) else factor)
    return builder.gep(pointer, [elements])


def row_pointers(
    builder: Builder, array: Value, row_offsets: Value, *, column: int, columns: int
) -> list[Value]:
    """Pointers to the rows of a block in `array`.

    Args:
        builder: emits the code.
        array: pointer to the first element.
        row_offsets: pointer to int64 `(BLOCK_ROWS, columns)`.
        column: the column of `row_offsets` that says at which element each row begins in `array`.
        columns: how many columns `row_offsets` has.
    """
    places = [move_pointer(builder, row_offsets, r * columns + column) for r in range(BLOCK_ROWS)]
    return [move_pointer(builder, array, builder.load(place)) for place in places]


def _require_rows(arguments: Iterable[types.Type]) -> None:
    """Refuses arrays that the emitted code, which knows no strides, would read wrongly."""
    for kind in arguments:
        if not isinstance(kind, types.Array):
            continue
        if kind.layout != "C" or kind.dtype not in (types.float32, types.int64):
            raise TypingError(
                "expected arrays of float32 or int64 whose rows lie one after the other, got "
                f"{kind}"
            )


def emitted(returns: types.Type) -> Callable[[Callable[..., Value | None]], Any]:
    """Makes a function that emits code callable from compiled code.

    The function receives a builder, then its arguments as `Value`s: for a number its value, for an
    array a pointer to its first element.

    Args:
        returns: the type of what the emitted code returns.
    """

    def decorate(emit: Callable[..., Value | None]) -> Any:
        def typed(_context: Any, *arguments: types.Type) -> tuple[Any, Callable[..., Value]]:
            _require_rows(arguments)

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

        # Numba takes the names of the arguments from the function, without the first one: that is
        # the context in `typed` and the builder in `emit`.
        return intrinsic(functools.update_wrapper(typed, emit))

    return decorate
