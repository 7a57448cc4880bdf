import subprocess
import sys
import types
from pathlib import Path

import numba
import pytest

from model.runtime.compilation import compiled


def double(number: int) -> int:
    return 2 * number


def test_compiles_where_no_cache_can_be_written() -> None:
    homeless = types.FunctionType(
        double.__code__.replace(co_filename="/nowhere/module.py"), {"__name__": __name__}
    )
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(homeless)
    assert compiled(homeless)(21) == 42


def test_a_changed_emitter_makes_the_cached_code_invalid(tmp_path: Path) -> None:
    emitter = """
from numba.core import types
from numba.extending import intrinsic

@intrinsic
def constant(context):
    def generate(context, builder, signature, values):
        return context.get_constant(types.int64, {})
    return types.int64(), generate
"""
    kernel = """
import emitter
from model.runtime.compilation import compiled_with

@compiled_with(emitter)
def function():
    return emitter.constant()

print(function(), sum(function.stats.cache_hits.values()))
"""
    (tmp_path / "kernel.py").write_text(kernel)
    found = []
    for value in (1, 1, 2, 2):
        (tmp_path / "emitter.py").write_text(emitter.format(value))
        command = [
            sys.executable,
            "-B",
            "-c",
            f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import kernel",
        ]
        found.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert found == ["1 0\n", "1 1\n", "2 0\n", "2 1\n"]
