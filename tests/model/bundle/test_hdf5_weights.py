"""The weights file of old bundles: read without Keras, and nothing outside the file is read."""

import h5py
import numpy as np
import pytest

from model.bundle.hdf5_weights import read_hdf5_weights
from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.layers.attention import KINDS
from model.layers.classifier import build_classifier
from model.layers.weights import copy_weights
from model.weights import weight_shapes

RECURRENT = {
    "two layers": LSTMConfig(units=3, layers=2),
    "one direction": LSTMConfig(units=3, bidirectional=False),
}
SIZES = {"ids": 9, "max_tokens": 7, "labels": 3}
SECRET = np.arange(3, dtype="<f4")
HEAD = "layers/dense"
BIAS = f"{HEAD}/vars/1"


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_has_the_name_that_keras_gives_it(tmp_path, kind, recurrent):
    config = NetworkConfig(
        embedding=EmbeddingConfig(units=5),
        lstm=RECURRENT[recurrent],
        attention=AttentionConfig(kind=kind, units=4, heads=2),
    )
    network = build_classifier(config, **SIZES)
    random = np.random.default_rng(0)
    network.set_weights([random.normal(size=w.shape) for w in network.get_weights()])
    network.save_weights(tmp_path / "network.weights.h5")
    expected = copy_weights(network)
    got = read_hdf5_weights(tmp_path / "network.weights.h5", weight_shapes(config, **SIZES))
    assert {layer: list(weights) for layer, weights in got.items()} == {
        layer: list(weights) for layer, weights in expected.items()
    }
    for layer, weights in expected.items():
        for name, array in weights.items():
            np.testing.assert_array_equal(got[layer][name], array)


CONFIG = NetworkConfig(
    embedding=EmbeddingConfig(units=2),
    lstm=LSTMConfig(units=3, bidirectional=False),
    attention=AttentionConfig(kind="none"),
)


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("keras") / "network.weights.h5"
    build_classifier(CONFIG, **SIZES).save_weights(path)
    return path.read_bytes()


@pytest.fixture
def path(keras_file, tmp_path):
    """A weights file that a test may change, beside files whose bytes are not its own."""
    (tmp_path / "secret.bin").write_bytes(SECRET.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["bias"] = SECRET
        file["vars/0"] = SECRET
    path = tmp_path / "network.weights.h5"
    path.write_bytes(keras_file)
    return path


def put_in_another_file(file, folder):
    file[BIAS] = h5py.ExternalLink(str(folder / "secret.h5"), "/bias")


def put_in_external_storage(file, folder):
    file.create_dataset(BIAS, (3,), "<f4", external=[(str(folder / "secret.bin"), 0, 12)])


def put_in_virtual_dataset(file, folder):
    layout = h5py.VirtualLayout((3,), "<f4")
    layout[:] = h5py.VirtualSource(folder / "secret.h5", "bias", (3,))
    file.create_virtual_dataset(BIAS, layout)


def put_behind_a_soft_link(file, folder):
    del folder
    file["elsewhere"] = SECRET
    file[BIAS] = h5py.SoftLink("/elsewhere")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (put_in_another_file, "expected data in this file, got a link"),
        (put_behind_a_soft_link, "expected data in this file, got a link"),
        (
            put_in_external_storage,
            "expected bytes in this file, got external storage: .*secret.bin",
        ),
        (put_in_virtual_dataset, "expected bytes in one piece in this file"),
    ],
)
def test_bytes_from_elsewhere_are_refused(path, put, message):
    with h5py.File(path, "r+") as file:
        del file[BIAS]
        put(file, path.parent)
        np.testing.assert_array_equal(file[BIAS][:], SECRET)  # h5py itself follows
    with pytest.raises(ValueError, match=f"^/{BIAS}: {message}"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize("group", ["layers", HEAD, f"{HEAD}/vars", "layers/bi_lstm/forward_lstm"])
def test_a_group_in_another_file_is_refused(path, group):
    with h5py.File(path, "r+") as file:
        with h5py.File(path.parent / "other.h5", "w") as other:
            file.copy(group, other, "group")
        del file[group]
        file[group] = h5py.ExternalLink(str(path.parent / "other.h5"), "/group")
    with pytest.raises(ValueError, match=f"^/{group}: expected data in this file, got a link"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compression": "gzip"}, "expected bytes in one piece"),
        ({"chunks": (3,)}, "expected bytes in one piece"),
        ({"dtype": "<f8"}, "expected float32, little-endian, got float64"),
        ({"dtype": ">f4"}, "expected float32, little-endian, got >f4"),
        ({"dtype": h5py.string_dtype()}, "expected float32, little-endian, got object"),
    ],
)
def test_arrays_that_keras_does_not_write_are_refused(path, settings, message):
    with h5py.File(path, "r+") as file:
        del file[BIAS]
        file.create_dataset(BIAS, (3,), **{"dtype": "<f4", **settings})
    with pytest.raises(ValueError, match=message):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (1 << 40, r"head\.bias: expected shape \(3,\), got \(1099511627776,\)"),  # 4 TB
        (3, "expected 12 bytes in this file, got fewer"),
    ],
)
def test_a_size_that_the_file_cannot_hold_is_refused_before_memory_is_taken(path, size, message):
    with h5py.File(path, "r+") as file:
        del file[BIAS]
        file.create_dataset(BIAS, (size,), "<f4")  # no byte is written
    with pytest.raises(ValueError, match=message):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1, 3), ()])
def test_another_shape_is_refused_by_name(path, shape):
    with h5py.File(path, "r+") as file:
        del file[BIAS]
        file[BIAS] = np.zeros(shape, "<f4")
    with pytest.raises(ValueError, match=r"^head\.bias: expected shape \(3,\), got"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


def test_a_layer_that_is_missing_is_named(path):
    with h5py.File(path, "r+") as file:
        del file[HEAD]
    with pytest.raises(ValueError, match=r"^head: expected weights, got none"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e9])
def test_numbers_that_no_training_gives_are_refused(path, value):
    with h5py.File(path, "r+") as file:
        file[BIAS][1] = value
    with pytest.raises(ValueError, match=r"^head\.bias: expected numbers within"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize("missing", ["layers", f"{HEAD}/vars", "layers/bi_lstm/forward_lstm/cell"])
def test_a_missing_group_is_named(path, missing):
    with h5py.File(path, "r+") as file:
        del file[missing]
    with pytest.raises(ValueError, match=f"^/{missing}: expected this item, got none"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


def test_a_group_in_place_of_an_array_and_the_reverse_are_named(path):
    with h5py.File(path, "r+") as file:
        del file[BIAS]
        file.create_group(BIAS)
    with pytest.raises(ValueError, match=f"^/{BIAS}: expected an array"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))
    with h5py.File(path, "r+") as file:
        del file[HEAD]
        file[HEAD] = SECRET
    with pytest.raises(ValueError, match=f"^/{HEAD}: expected a group"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


@pytest.mark.parametrize("name", [None, 7, np.zeros(3)])
def test_a_layer_without_a_name_is_refused(path, name):
    with h5py.File(path, "r+") as file:
        attributes = file[f"{HEAD}/vars"].attrs
        del attributes["name"]
        if name is not None:
            attributes["name"] = name
    with pytest.raises(ValueError, match=f"^/{HEAD}/vars: expected the name of a layer"):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


def rename_the_head(file):
    file[f"{HEAD}/vars"].attrs["name"] = "tail"


def name_two_layers_alike(file):
    file.copy("layers/token_embedding", "layers/token_embedding_2")


def add_a_weight(file):
    file.copy("layers/token_embedding/vars/0", "layers/token_embedding/vars/1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_the_head, r"^tail: expected no weights, got 2"),
        (name_two_layers_alike, r"^embedding: expected one layer of this name, got two"),
        (add_a_weight, r"^embedding: expected 1 weights, got 2"),
    ],
)
def test_unknown_repeated_and_too_many_weights_are_named(path, change, message):
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(ValueError, match=message):
        read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))


def test_a_damaged_file_gives_no_other_error(path, keras_file):
    """Any one byte is changed: the file is read, or refused with one of the promised errors."""
    random = np.random.default_rng(0)
    for place in random.integers(0, len(keras_file), 300):
        damaged = bytearray(keras_file)
        damaged[place] ^= random.integers(1, 256)
        path.write_bytes(damaged)
        try:
            read_hdf5_weights(path, weight_shapes(CONFIG, **SIZES))
        except (OSError, ValueError):
            continue
