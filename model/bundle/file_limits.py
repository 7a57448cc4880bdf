"""How large a file of a model directory may be; a larger one is refused before it is read."""

from collections.abc import Mapping

from model.bundle.errors import BundleError
from model.bundle.file_names import (
    BASELINE,
    CONFIG,
    GALLERY,
    GOLDEN,
    HDF5_WEIGHTS,
    HISTORY,
    LABELS,
    MANIFEST,
    METRICS,
    PROFILE,
    SERVING,
    STATISTICS,
    VOCABULARY,
    WEIGHTS,
    WIDE_WEIGHTS,
)

_MB = 1 << 20

# Several times what the largest models have. Golden documents and those of the gallery have at
# most 20,000 characters each; metrics have a confusion matrix of up to 2,000 labels.
LIMITS = {
    MANIFEST: 32 * _MB,
    CONFIG: _MB // 4,
    LABELS: 4 * _MB,
    GOLDEN: 32 * _MB,
    METRICS: 128 * _MB,
    BASELINE: 128 * _MB,
    HISTORY: 4 * _MB,
    STATISTICS: 16 * _MB,
    GALLERY: 32 * _MB,
    PROFILE: 16 * _MB,
}
_OTHER = 128 * _MB  # pages, and a SavedModel without its weights

MAX_FILES = 1_000


def vocabulary_limit(ids: int) -> int:
    """The most bytes of a vocabulary of so many ids."""
    return max(32 * _MB, 64 * ids)


def check_sizes(folder: str, sizes: Mapping[str, int], *, ids: int) -> None:
    """Checks the sizes of the files of a model directory.

    The size of weights follows from the config, so it is not checked here.

    Args:
        folder: in messages.
        sizes: of the files, by name.
        ids: of the vocabulary.

    Raises:
        BundleError: naming a file that is too large.
    """
    weights = sum(sizes.get(name, 0) for name in (WEIGHTS, HDF5_WEIGHTS, WIDE_WEIGHTS))
    serving = 0
    for name, size in sizes.items():
        if name in (WEIGHTS, HDF5_WEIGHTS, WIDE_WEIGHTS):
            continue
        most = vocabulary_limit(ids) if name == VOCABULARY else LIMITS.get(name, _OTHER)
        if name.startswith(f"{SERVING}/"):  # they have the weights, and tables made of them
            serving += size
            most = _OTHER + 4 * weights - (serving - size)
        if size > most:
            raise BundleError(
                f"{folder}/{name}: expected at most {max(most, 0):,} bytes, got {size:,}. It is "
                "not the file of a model: do not use this model directory."
            )
