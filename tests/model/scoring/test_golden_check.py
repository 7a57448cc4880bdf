import pytest

from model.bundle.errors import BundleError
from model.bundle.file_names import WEIGHTS
from model.bundle.loading import load_bundle
from model.bundle.weights_file import write_weights
from model.scoring.loading import load_scorer
from tests.model.bundles import make_bundle, seal


def test_a_changed_weight_with_matching_digests_fails_the_golden_documents(tmp_path):
    folder = make_bundle(tmp_path / "1").folder
    weights = load_bundle(folder).read_weights()
    weights["embedding"]["embeddings"][...] += 0.05
    write_weights(folder / WEIGHTS, weights)
    seal(folder)
    with pytest.raises(BundleError, match=r"golden documents' .* got a difference"):
        load_scorer(load_bundle(folder))
