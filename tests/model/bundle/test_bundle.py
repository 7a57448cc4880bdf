import subprocess
import sys

import numpy as np
import pytest

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from tests.model.bundles import seal


def test_the_network_comes_back_with_its_weights(published):
    first, second = (load_bundle(published).build_network() for _ in range(2))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("read", [Bundle.build_network, Bundle.read_weights])
def test_a_file_that_holds_no_weights_is_refused_by_name(copy, read):
    (copy / "network.weights.safetensors").write_bytes(b"no weights")
    seal(copy)
    with pytest.raises(BundleError, match=r"network\.weights\.safetensors: expected the weights"):
        read(load_bundle(copy))


@pytest.mark.parametrize("read", [Bundle.build_network, Bundle.read_weights])
def test_weights_of_another_network_are_refused_by_name(copy, read):
    config = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(config.replace("units: 5", "units: 6"))
    seal(copy)
    with pytest.raises(BundleError, match=r"forward_lstm\.kernel: expected shape \(7, 24\), got"):
        read(load_bundle(copy))


def test_scoring_on_a_cpu_imports_no_tensorflow(published):
    script = (
        "import sys; from model.bundle.loading import load_bundle;"
        "from model.scoring.loading import load_scorer;"
        f"load_scorer(load_bundle({str(published)!r}), engine='folded');"
        "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
