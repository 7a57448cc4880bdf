"""Reads `network.weights.h5`, the weights file of bundles of schema 1, without Keras.

An HDF5 file can refer to other files, by external links, external storage and virtual datasets, and
h5py follows all of them: such a file would bring in bytes of any file that this process may read.
Here only hard links are followed, and only arrays whose bytes lie in the file itself are read.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np

from model.files.regular_files import open_regular
from model.weights import DIRECTIONS, Shapes, Weights, check_finite

# Beside the weights, Keras writes the names of layers and, if the network was compiled, what the
# optimizer knows of each weight.
_MOST_COPIES = 4
_MOST_OTHER_BYTES = 16 << 20


def read_hdf5_weights(path: Path, shapes: Mapping[str, Shapes]) -> dict[str, Weights]:
    """Reads what `keras.Model.save_weights` wrote for a network of `model.layers.classifier`.

    Args:
        path: a file `*.weights.h5`.
        shapes: of the weights of each layer, in the order in which the layer creates them, because
            Keras numbers them in this order; as `model.weights.weight_shapes` has them.

    Raises:
        OSError: if the file is not HDF5.
        ValueError: naming what is missing, unknown, of another shape or no finite number, or does
            not lie in the file.
    """
    weights = _with_arrays(path, shapes, read=True)
    check_finite(weights)
    return weights


def check_hdf5_weights(path: Path, shapes: Mapping[str, Shapes]) -> None:
    """Checks all that `read_hdf5_weights` does but the numbers; no array is read.

    Raises:
        OSError: if the file is not HDF5.
        ValueError: as `read_hdf5_weights`.
    """
    _with_arrays(path, shapes, read=False)


def _with_arrays(path: Path, shapes: Mapping[str, Shapes], *, read: bool) -> dict[str, Weights]:
    numbers = sum(math.prod(shape) for named in shapes.values() for shape in named.values())
    most = _MOST_COPIES * np.float32().nbytes * numbers + _MOST_OTHER_BYTES
    with open_regular(path) as stream:
        size = stream.seek(0, 2)
    if size > most:
        raise ValueError(f"expected at most {most:,} bytes, got {size:,}")
    try:
        with h5py.File(path, "r") as file:
            arrays = dict(_find_arrays(file, shapes))
            if not read:
                return {}
            return {
                layer: {name: np.asarray(array[()]) for name, array in named.items()}
                for layer, named in arrays.items()
            }
    except (KeyError, RuntimeError, TypeError) as error:  # from h5py, if the file is damaged
        raise ValueError(f"an HDF5 file that cannot be read ({error})") from error


def _find_arrays(
    file: h5py.File, shapes: Mapping[str, Shapes]
) -> Iterator[tuple[str, dict[str, h5py.Dataset]]]:
    found: set[str] = set()
    for layer, group in _numbered_groups(file):
        if not len(group):
            continue
        if layer not in shapes:
            raise ValueError(f"{layer}: expected no weights, got {len(group)}")
        if layer in found:
            raise ValueError(f"{layer}: expected one layer of this name, got two")
        found.add(layer)
        if len(group) != len(shapes[layer]):
            raise ValueError(f"{layer}: expected {len(shapes[layer])} weights, got {len(group)}")
        yield (
            layer,
            {
                name: _array(group, str(number), shape=shape, name=f"{layer}.{name}")
                for number, (name, shape) in enumerate(shapes[layer].items())
            },
        )
    for layer in shapes:
        if layer not in found:
            raise ValueError(f"{layer}: expected weights, got none")


def _numbered_groups(file: h5py.File) -> Iterator[tuple[str, h5py.Group]]:
    """Each layer's name and its group `vars`, whose items are the weights, named 0, 1, ..."""
    layers = _group(file, "layers")
    for key in layers:
        if not isinstance(key, str):  # h5py gives names that are not UTF-8 as bytes
            raise ValueError(f"{layers.name}: expected a layer with a name in UTF-8, got {key!r}")
        group = _group(layers, key)
        numbered = _group(group, "vars")
        layer = numbered.attrs.get("name")
        if not isinstance(layer, str):
            raise ValueError(f"{numbered.name}: expected the name of a layer, got {layer!r}")
        yield layer, numbered
        for direction in DIRECTIONS:
            if group.id.links.exists(direction.encode()):  # `in group` would follow a link
                cell = _group(_group(group, direction), "cell")
                yield f"{layer}.{direction}", _group(cell, "vars")


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    item = _follow_hard_link(parent, name)
    if not isinstance(item, h5py.Group):
        raise ValueError(f"{item.name}: expected a group, got an array or a type")
    return item


def _array(parent: h5py.Group, number: str, *, shape: tuple[int, ...], name: str) -> h5py.Dataset:
    item = _follow_hard_link(parent, number)
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"{item.name}: expected an array, got a group or a type")
    if item.dtype != np.dtype("<f4"):
        raise ValueError(f"{item.name}: expected float32, little-endian, got {item.dtype}")
    if item.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {item.shape}")
    storage = item.id.get_create_plist()
    # Keras writes every array in this layout. It excludes virtual datasets and compression.
    if storage.get_layout() != h5py.h5d.CONTIGUOUS:
        raise ValueError(f"{item.name}: expected bytes in one piece in this file, got another way")
    if storage.get_external_count():
        external, *_ = storage.get_external(0)
        raise ValueError(
            f"{item.name}: expected bytes in this file, got external storage: {external!r}"
        )
    start = item.id.get_offset()  # None if no bytes were ever written
    if start is None or start + item.nbytes > item.file.id.get_filesize():
        raise ValueError(f"{item.name}: expected {item.nbytes} bytes in this file, got fewer")
    return item


def _follow_hard_link(parent: h5py.Group, name: str) -> h5py.HLObject:
    where = f"{parent.name}/{name}".replace("//", "/")
    if not parent.id.links.exists(name.encode()):
        raise ValueError(f"{where}: expected this item, got none")
    if parent.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"{where}: expected data in this file, got a link")
    return parent[name]
