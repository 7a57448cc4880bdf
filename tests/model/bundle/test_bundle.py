import numpy as np

from model.bundle.loading import load_bundle


def test_the_network_comes_back_with_its_weights(published):
    first, second = (load_bundle(published).build_network() for _ in range(2))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
