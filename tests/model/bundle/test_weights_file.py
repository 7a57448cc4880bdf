import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model.bundle.weights_file import read_weights, write_weights

RANDOM = np.random.default_rng(0)
WEIGHTS = {
    "embedding": {"embeddings": RANDOM.normal(size=(4, 3)).astype(np.float32)},
    "bilstm_1.forward_lstm": {
        "kernel": np.asfortranarray(RANDOM.normal(size=(3, 8)).astype(np.float32)),
        "bias": RANDOM.normal(size=16).astype(np.float32)[::2],
    },
}


def test_weights_come_back_under_their_names_whatever_their_strides(tmp_path):
    write_weights(tmp_path / "w", WEIGHTS)
    got = read_weights(tmp_path / "w")
    assert set(got) == set(WEIGHTS)
    for layer, named in WEIGHTS.items():
        assert set(got[layer]) == set(named)
        for name, array in named.items():
            assert got[layer][name].dtype == np.float32
            np.testing.assert_array_equal(got[layer][name], array)


def test_other_programs_find_layer_and_name_joined(tmp_path):
    write_weights(tmp_path / "w", WEIGHTS)
    assert set(load_file(tmp_path / "w")) == {
        "embedding.embeddings",
        "bilstm_1.forward_lstm.kernel",
        "bilstm_1.forward_lstm.bias",
    }


def test_equal_weights_give_equal_bytes_in_any_order(tmp_path):
    write_weights(tmp_path / "1", WEIGHTS)
    write_weights(tmp_path / "2", dict(reversed(WEIGHTS.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    write_weights(tmp_path / "w", WEIGHTS)
    (tmp_path / "other").touch()
    assert (tmp_path / "w").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
def test_another_type_is_refused_by_name(tmp_path, dtype):
    save_file({"head.bias": np.zeros(2, dtype)}, tmp_path / "w")
    with pytest.raises(ValueError, match=r"head\.bias: expected float32 \(F32\), got"):
        read_weights(tmp_path / "w")


def test_a_damaged_file_is_refused(tmp_path):
    write_weights(tmp_path / "w", WEIGHTS)
    whole = (tmp_path / "w").read_bytes()
    beyond = {"a.b": {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}}
    header = json.dumps(beyond).encode()
    for damaged in (
        b"",
        b"no weights at all",
        whole[:-1],
        whole + b"\0",
        len(header).to_bytes(8, "little") + header + bytes(16),
        (1 << 60).to_bytes(8, "little") + header,
    ):
        (tmp_path / "w").write_bytes(damaged)
        with pytest.raises(ValueError, match="no safetensors file"):
            read_weights(tmp_path / "w")


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="w"):
        read_weights(tmp_path / "w")
