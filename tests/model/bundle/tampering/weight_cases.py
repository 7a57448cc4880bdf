"""Arrays of other shapes, types and numbers, in every kind of file of weights."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from safetensors.numpy import load_file, save

from tests.model.bundle.tampering.cases import Case, Change

SAFETENSORS = "network.weights.safetensors"
HDF5 = "network.weights.h5"

Array = np.ndarray


def _grow(array: Array, axis: int, by: int) -> Array:
    size = list(array.shape)
    size[axis] = max(0, size[axis] + by)
    return np.resize(array, size).astype(array.dtype)


def _put(value: float) -> Callable[[Array], Array]:
    def run(array: Array) -> Array:
        changed = array.copy()
        changed.flat[-1] = value
        return changed

    return run


def shapes_of(array: Array) -> dict[str, Callable[[Array], Array]]:
    """Other shapes of an array: one more and less of each dimension, and many more and less."""
    changes: dict[str, Callable[[Array], Array]] = {}
    for axis in range(array.ndim):
        for by in (1, -1, 5_000, -array.shape[axis]):
            changes[f"dimension {axis} by {by:+}"] = lambda a, axis=axis, by=by: _grow(a, axis, by)  # type: ignore[misc]
    changes["one dimension more"] = lambda a: a[None]
    changes["flat"] = lambda a: np.append(a.ravel(), 0).astype(a.dtype)
    return changes


NUMBERS: dict[str, Callable[[Array], Array]] = {
    "NaN": _put(np.nan),
    "infinite": _put(np.inf),
    "huge": _put(-3e38),
    "float64": lambda a: a.astype(np.float64),
    "float16": lambda a: a.astype(np.float16),
    "int32": lambda a: a.astype(np.int32),
}


def change_arrays(file: str, change: Callable[[dict[str, Array]], object]) -> Change:
    def run(folder: Path) -> None:
        arrays = load_file(folder / file)
        change(arrays)
        (folder / file).write_bytes(save(arrays))

    return run


def cases_of_arrays(
    base: str, whole: Path, *, file: str = SAFETENSORS, only: str = ""
) -> Iterator[Case]:
    """Every array of a file, of another shape, type or number, missing, or under another name.

    Args:
        base: the name of the whole model.
        whole: its folder.
        file: of weights.
        only: the beginning of the names of the arrays.
    """
    for name, array in load_file(whole / file).items():
        if not name.startswith(only):
            continue
        for how, change in {**shapes_of(array), **NUMBERS}.items():
            yield Case(
                name=f"{base}: {name}: {how}",
                base=base,
                change=change_arrays(
                    file,
                    lambda arrays, n=name, c=change: arrays.update({n: c(arrays[n])}),  # type: ignore[misc]
                ),
                names=name,
            )
        yield Case(
            name=f"{base}: {name}: missing",
            base=base,
            change=change_arrays(file, lambda arrays, n=name: arrays.pop(n)),  # type: ignore[misc]
            names=name,
        )
        yield Case(
            name=f"{base}: {name}: another name",
            base=base,
            change=change_arrays(
                file,
                lambda arrays, n=name: arrays.update({f"{n}x": arrays.pop(n)}),  # type: ignore[misc]
            ),
            names=name,
        )


def cases_of_safetensors(base: str) -> Iterator[Case]:
    """Headers that are not those of the arrays."""

    def header(change: Callable[[bytes], bytes]) -> Change:
        def run(folder: Path) -> None:
            content = (folder / SAFETENSORS).read_bytes()
            size = int.from_bytes(content[:8], "little")
            changed = change(content[8 : 8 + size])
            start = len(changed).to_bytes(8, "little") + changed
            (folder / SAFETENSORS).write_bytes(start + content[8 + size :])

        return run

    def beyond(content: bytes) -> bytes:
        values = json.loads(content)
        values["head.bias"]["data_offsets"] = [0, 1 << 40]
        return json.dumps(values).encode()

    def overlap(content: bytes) -> bytes:
        values = json.loads(content)
        values["head.kernel"]["data_offsets"] = values["embedding.embeddings"]["data_offsets"]
        return json.dumps(values).encode()

    def claim(folder: Path) -> None:
        content = (folder / SAFETENSORS).read_bytes()
        (folder / SAFETENSORS).write_bytes((1 << 62).to_bytes(8, "little") + content[8:])

    def sparse(folder: Path) -> None:
        os.truncate(folder / SAFETENSORS, 1 << 28)

    changes: dict[str, Change] = {
        "an array beyond the end": header(beyond),
        "two arrays overlap": header(overlap),
        "a header of 4 EB": claim,
        "a header that is no JSON": header(lambda content: b"x" * len(content)),
        "a header of nested lists": header(lambda _: b"[" * 100_000),
        "a header of 40 MB": header(lambda content: content + b" " * (40 << 20)),
        "more bytes than arrays": sparse,
        "another array": change_arrays(SAFETENSORS, lambda a: a.update(x=np.zeros(1, np.float32))),
        "thousands of arrays": change_arrays(
            SAFETENSORS,
            lambda a: a.update({f"x.{n}": np.zeros(1, np.float32) for n in range(20_000)}),
        ),
        "no array": lambda folder: _write(folder, save({})),
    }
    for name, change in changes.items():
        yield Case(name=f"{base}: {name}", base=base, change=change, names=SAFETENSORS)


def _write(folder: Path, content: bytes) -> None:
    (folder / SAFETENSORS).write_bytes(content)


def cases_of_members(base: str) -> Iterator[Case]:
    """Ensembles of more and fewer networks than the config says."""

    def rename(arrays: dict[str, Array], old: str, new: str) -> None:
        for name in [each for each in arrays if each.startswith(f"{old}.")]:
            array = arrays.pop(name)
            if new:
                arrays[new + name.removeprefix(old)] = array

    def add(arrays: dict[str, Array]) -> None:
        first = {n: a for n, a in arrays.items() if n.startswith("member-1.")}
        for number in range(3, 300):
            arrays.update({n.replace("-1.", f"-{number}.", 1): a for n, a in first.items()})

    changes: dict[str, Callable[[dict[str, Array]], None]] = {
        "one less": lambda arrays: rename(arrays, "member-2", ""),
        "three hundred": add,
        "a gap": lambda arrays: rename(arrays, "member-2", "member-3"),
        "a number that is none": lambda arrays: rename(arrays, "member-2", "member-x"),
        "one is no member": lambda arrays: rename(arrays, "member-2", "other"),
    }
    for name, change in changes.items():
        yield Case(
            name=f"{base}: {name}",
            base=base,
            change=change_arrays(SAFETENSORS, change),
            names=SAFETENSORS,
        )


def cases_of_hdf5(base: str, whole: Path) -> Iterator[Case]:
    """Arrays of an old file: of other shapes and types, and bytes that lie elsewhere."""
    places: list[str] = []
    with h5py.File(whole / HDF5) as file:
        file.visititems(
            lambda name, item: places.append(name) if isinstance(item, h5py.Dataset) else None
        )
        arrays = {place: np.asarray(file[place]) for place in places}
    few = ("dimension 0 by +1", "dimension 0 by -1", "dimension 0 by +5000", "NaN")
    for place, array in arrays.items():
        for how, change in {**shapes_of(array), **NUMBERS}.items():
            if "head" not in place and how not in few:
                continue
            yield Case(
                name=f"{base}: {place}: {how}",
                base=base,
                change=_in_file(
                    lambda file, _, p=place, a=array, c=change: _replace(file, p, c(a))
                ),  # type: ignore[misc]
                names=HDF5,
            )
        for how, put in PUTS.items():
            if "attention" in place:
                continue
            yield Case(
                name=f"{base}: {place}: {how}",
                base=base,
                change=_in_file(
                    lambda file, folder, p=place, a=array, put=put: put(file, folder, p, a)
                ),  # type: ignore[misc]
                names=HDF5,
            )

    def circle(file: h5py.File, folder: Path) -> None:
        file["layers/circle"] = file["layers"]

    def no_layers(file: h5py.File, folder: Path) -> None:
        del file["layers"]

    for name, whole_change in {"a circle": circle, "no layers": no_layers}.items():
        yield Case(name=f"{base}: {name}", base=base, change=_in_file(whole_change), names=HDF5)


def _in_file(change: Callable[[h5py.File, Path], object]) -> Change:
    def run(folder: Path) -> None:
        with h5py.File(folder / HDF5, "r+") as file:
            change(file, folder)

    return run


def _replace(file: h5py.File, place: str, array: Array) -> None:
    del file[place]
    file[place] = array


def _external_link(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    with h5py.File(folder.parent / "other.h5", "w") as other:
        other["array"] = array
    del file[place]
    file[place] = h5py.ExternalLink(str(folder.parent / "other.h5"), "/array")


def _external_storage(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    path = folder.parent / "other.bin"
    path.write_bytes(array.tobytes())
    del file[place]
    file.create_dataset(place, array.shape, "<f4", external=[(str(path), 0, array.nbytes)])


def _storage_in_fifo(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    path = folder.parent / "fifo"
    if not path.exists():
        os.mkfifo(path)
    del file[place]
    file.create_dataset(place, array.shape, "<f4", external=[(str(path), 0, array.nbytes)])


def _virtual(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    layout = h5py.VirtualLayout(array.shape, "<f4")
    layout[:] = h5py.VirtualSource(folder.parent / "other.h5", "array", array.shape)
    del file[place]
    file.create_virtual_dataset(place, layout)


def _soft_link(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    file.move(place, "moved")
    file[place] = h5py.SoftLink("/moved")


def _compressed(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    del file[place]
    file.create_dataset(place, data=array, chunks=True, compression="gzip")


def _group(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    del file[place]
    file.create_group(place)


def _missing(file: h5py.File, folder: Path, place: str, array: Array) -> None:
    del file[place]


PUTS: dict[str, Callable[[h5py.File, Path, str, Array], None]] = {
    "in another file": _external_link,
    "in external storage": _external_storage,
    "in a FIFO": _storage_in_fifo,
    "virtual": _virtual,
    "behind a soft link": _soft_link,
    "compressed": _compressed,
    "a group": _group,
    "missing": _missing,
}
