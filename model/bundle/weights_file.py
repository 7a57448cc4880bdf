"""Weights in a file of the format safetensors: named float32 arrays, and no code.

The file is a JSON header with the name, type, shape and place of every array, then their bytes,
little-endian. The library checks that the arrays fill the file without a gap or an overlap.

Reference: https://github.com/huggingface/safetensors
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model.files.regular_files import open_regular
from model.weights import Shapes, Weights, by_full_name, check_finite

MAX_HEADER = 4 << 20  # bytes; an array takes about 120
_SIZE = struct.Struct("<Q")  # of the header, at the beginning of the file


def write_weights(path: Path, weights: Mapping[str, Weights]) -> None:
    """Writes weights by layer and name, as `model.layers.weights.copy_weights` returns them.

    The array `kernel` of the layer `head` is named `head.kernel` in the file. Equal weights give
    equal bytes.
    """
    # `save` writes an array's memory as it is, whatever its strides.
    arrays = {
        name: np.ascontiguousarray(array, np.float32)
        for name, array in by_full_name(weights).items()
    }
    # Not `save_file`: it makes a file that only its owner can read.
    path.write_bytes(save(arrays))


def read_shapes(path: Path) -> dict[str, Shapes]:
    """The shapes of the weights in a file, by layer and name; only its header is read.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not a regular file, or not a safetensors file of float32 arrays.
    """
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    _check_header_size(path)
    try:
        with safe_open(path, framework="numpy") as file:
            for full_name in file.offset_keys():
                found = file.get_slice(full_name)
                if found.get_dtype() != "F32":
                    raise ValueError(
                        f"{full_name}: expected float32 (F32), got {found.get_dtype()}"
                    )
                layer, _, name = full_name.rpartition(".")
                layers.setdefault(layer, {})[name] = tuple(found.get_shape())
    except SafetensorError as error:
        raise ValueError(f"no safetensors file ({error})") from error
    return dict(layers)


def read_weights(path: Path) -> dict[str, Weights]:
    """Reads what `write_weights` wrote; the file is mapped, and each array copied out of it once.

    A caller that knows the shapes compares them with `read_shapes` first.

    Raises:
        OSError: if the file cannot be read.
        ValueError: as `read_shapes`; also naming an array with a value that is no finite number.
    """
    layers = read_shapes(path)
    with safe_open(path, framework="numpy") as file:
        weights: dict[str, Weights] = {
            layer: {name: file.get_tensor(f"{layer}.{name}") for name in shapes}
            for layer, shapes in layers.items()
        }
    check_finite(weights)
    return weights


def _check_header_size(path: Path) -> None:
    """Refuses a header that is not as large as one of a network before the library reads it."""
    with open_regular(path) as stream:
        start = stream.read(_SIZE.size)
    if len(start) < _SIZE.size:
        raise ValueError("no safetensors file (it is too short)")
    (size,) = _SIZE.unpack(start)
    if size > MAX_HEADER:
        raise ValueError(f"no safetensors file (its header has {size:,} bytes)")
