import h5py
import pytest

from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer
from tests.model.bundles import make_bundle, seal


def test_a_changed_weight_with_matching_digests_fails_the_golden_documents(tmp_path):
    folder = make_bundle(tmp_path / "1").folder
    with h5py.File(folder / "network.weights.h5", "r+") as weights:
        kernels: list[h5py.Dataset] = []
        weights.visititems(
            lambda _, item: kernels.append(item) if isinstance(item, h5py.Dataset) else None
        )
        largest = max(kernels, key=lambda item: item.size)
        largest[...] = largest[...] + 0.05
    seal(folder)
    with pytest.raises(BundleError, match=r"golden documents' .* got a difference"):
        load_scorer(load_bundle(folder))
