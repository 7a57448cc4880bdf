"""Weights in a file of the format safetensors: named float32 arrays, and no code.

The file is a JSON header with the name, type, shape and place of every array, then their bytes,
little-endian. The library checks that the arrays fill the file without a gap or an overlap.

Reference: https://github.com/huggingface/safetensors
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model.weights import Weights, by_full_name


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


def read_weights(path: Path) -> dict[str, Weights]:
    """Reads what `write_weights` wrote; the file is mapped, and each array copied out of it once.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not a safetensors file of float32 arrays.
    """
    layers: dict[str, dict[str, np.ndarray]] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            for full_name in file.offset_keys():
                dtype = file.get_slice(full_name).get_dtype()
                if dtype != "F32":
                    raise ValueError(f"{full_name}: expected float32 (F32), got {dtype}")
                layer, _, name = full_name.rpartition(".")
                layers.setdefault(layer, {})[name] = file.get_tensor(full_name)
    except SafetensorError as error:
        raise ValueError(f"no safetensors file ({error})") from error
    return dict(layers)
