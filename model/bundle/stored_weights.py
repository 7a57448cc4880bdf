"""The weights of a model directory: their headers compared with the config, then read."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from model.bundle.errors import BundleError
from model.bundle.file_names import CONFIG, WEIGHTS, WIDE_WEIGHTS
from model.bundle.weights_file import read_shapes, read_weights
from model.config import ModelConfig
from model.weights import Shapes, Weights, check_shapes, join_members, split_members, weight_shapes
from model.wide.wide_part import WIDE, wide_shapes


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredWeights:
    """The files of weights in a model directory, and all that says which arrays they have.

    Attributes:
        folder: the model directory.
        file: the name of the file with the network's weights.
        config: the settings of the model.
        ids: of the vocabulary.
        labels: how many.
    """

    folder: Path
    file: str
    config: ModelConfig
    ids: int
    labels: int

    def check_headers(self) -> None:
        """Compares names, types and shapes of all arrays with the config; no array is read.

        Raises:
            BundleError: naming the file and the first array that is another one.
        """
        path = self.folder / self.file
        with _naming(path, "network"):
            if self.file == WEIGHTS:
                self._check_network(read_shapes(path))
            else:
                # Imported here: only old bundles need it, and importing h5py takes 0.1 s.
                from model.bundle.hdf5_weights import check_hdf5_weights

                check_hdf5_weights(path, self._network_shapes())
        if self.config.network.wide is not None:
            path = self.folder / WIDE_WEIGHTS
            with _naming(path, "wide part"):
                check_shapes(read_shapes(path), self._wide_shapes())

    def read_network(self) -> dict[str, Weights]:
        """The weights of the network by layer and name; of an ensemble as `split_members` says.

        Raises:
            BundleError: if they are not those of the network in the config, or no finite numbers.
        """
        path = self.folder / self.file
        with _naming(path, "network"):
            if self.file == WEIGHTS:
                self._check_network(read_shapes(path))
                return read_weights(path)
            from model.bundle.hdf5_weights import read_hdf5_weights

            return read_hdf5_weights(path, self._network_shapes())

    def read_wide(self) -> Weights:
        """The weights of the wide part, which the config must have.

        Raises:
            BundleError: as `read_network`.
        """
        path = self.folder / WIDE_WEIGHTS
        with _naming(path, "wide part"):
            check_shapes(read_shapes(path), self._wide_shapes())
            return read_weights(path)[WIDE]

    def _check_network(self, found: Mapping[str, Shapes]) -> None:
        members = len(split_members(found))
        training = self.config.training
        allowed = {1, len(training.seeds)} if training.ensemble else {1}
        if members not in allowed:
            raise ValueError(
                f"expected the weights of {' or '.join(map(str, sorted(allowed)))} networks, by "
                f"training.seeds and training.ensemble, got those of {members}"
            )
        check_shapes(found, join_members([self._network_shapes()] * members))

    def _network_shapes(self) -> dict[str, Shapes]:
        return weight_shapes(
            self.config.network,
            ids=self.ids,
            max_tokens=self.config.text.max_tokens,
            labels=self.labels,
        )

    def _wide_shapes(self) -> dict[str, Shapes]:
        network = self.config.network
        if network.wide is None:
            return {}
        shapes = wide_shapes(network.wide, ids=self.ids, labels=self.labels, head=network.head)
        return {WIDE: shapes}


@contextmanager
def _naming(path: Path, part: str) -> Iterator[None]:
    """Makes an error of reading a file a `BundleError` that names it."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise BundleError(
            f"{path}: expected the weights of the {part} in {CONFIG}, got an error: "
            f"{' '.join(str(error).split())[:300]}. Train the model again."
        ) from error
