import numpy as np
import pytest

from model.metrics.packed_flags import pack_flags, unpack_flags


@pytest.mark.parametrize("rows", [1, 8, 1_001])
def test_flags_are_unpacked_as_they_were(rows: int) -> None:
    flags = np.random.default_rng(rows).random(rows) < 0.5
    np.testing.assert_array_equal(unpack_flags(pack_flags(flags), rows=rows), flags)
