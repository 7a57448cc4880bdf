"""The weights file, read without Keras: the same arrays under the same names."""

import subprocess
import sys

import numpy as np
import pytest

from model.bundle.errors import BundleError
from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.folded.weights import read_weights_file
from model.layers.attention import KINDS
from model.layers.classifier import build_classifier
from tests.model.bundles import make_bundle
from tests.model.folded.keras_weights import copy_weights

RECURRENT = {
    "two-layers": LSTMConfig(units=3, layers=2),
    "one-direction": LSTMConfig(units=3, bidirectional=False),
}


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_has_the_name_that_keras_gives_it(tmp_path, kind, recurrent):
    config = NetworkConfig(
        embedding=EmbeddingConfig(units=5),
        lstm=RECURRENT[recurrent],
        attention=AttentionConfig(kind=kind, units=4, heads=2),
    )
    network = build_classifier(config, ids=9, max_tokens=7, labels=3)
    random = np.random.default_rng(0)
    network.set_weights([random.normal(size=w.shape) for w in network.get_weights()])
    network.save_weights(tmp_path / "network.weights.h5")
    expected = copy_weights(network)
    got = read_weights_file(tmp_path / "network.weights.h5", kind=kind)
    assert {layer: list(weights) for layer, weights in got.items()} == {
        layer: list(weights) for layer, weights in expected.items()
    }
    for layer, weights in expected.items():
        for name, array in weights.items():
            np.testing.assert_array_equal(got[layer][name], array)


def test_another_file_is_refused(tmp_path):
    bundle = make_bundle(tmp_path / "1")
    (bundle.folder / "network.weights.h5").write_bytes(b"not HDF5")
    with pytest.raises(BundleError, match=r"network\.weights\.h5: expected the weights"):
        bundle.read_weights()


def test_scoring_on_a_cpu_imports_no_tensorflow(tmp_path):
    folder = make_bundle(tmp_path / "1").folder
    script = (
        "import sys; from model.bundle.loading import load_bundle;"
        "from model.scoring.loading import load_scorer;"
        f"load_scorer(load_bundle({str(folder)!r}), engine='folded');"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
