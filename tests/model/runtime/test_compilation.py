import types

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
