"""A verified model directory, as scorers and stages use it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.bundle.file_limits import LIMITS
from model.bundle.file_names import PROFILE, WEIGHTS
from model.bundle.golden import GoldenDocument, read_golden
from model.bundle.manifest import weights_file
from model.bundle.stored_weights import StoredWeights
from model.config import ModelConfig
from model.files.json_values import parse_json
from model.files.regular_files import read_regular
from model.text.markers import Markers, marker_ids
from model.text.vocabulary import Vocabulary
from model.weights import Weights, split_members
from model.wide.wide_part import WidePart

if TYPE_CHECKING:
    import keras

    from model.folded.average_engine import AverageEngine
    from model.folded.engine import FoldedEngine


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified model directory.

    Attributes:
        folder: its path on this machine.
        config: the settings of its text, network and training.
        vocabulary: maps a token to its id.
        labels: names, by index.
        manifest: the content of its manifest file; empty while the directory is being written.
    """

    folder: Path
    config: ModelConfig
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def model_version(self) -> str:
        """The name and version under which it was published, `<name>/<version>`."""
        return str(self.manifest["model_version"])

    @property
    def markers(self) -> Markers:
        """The ids of the markers of `config.network.entities`."""
        return marker_ids(self.config.network.entities, self.config.text, self.vocabulary)

    def read_golden(self) -> list[GoldenDocument]:
        """The documents whose predictions every scorer must reproduce."""
        return read_golden(self.folder, labels=len(self.labels))

    def build_network(self, *, cudnn: bool = True) -> "keras.Model":
        """Builds the network with its trained weights on this machine, for inference in float32.

        It is built rather than loaded as a traced graph, so that Keras can choose cuDNN on a GPU.
        Recurrent dropout is left out, because only training uses it. With it, neither cuDNN nor
        the fused kernel could run, and a SavedModel would contain its random state.

        Args:
            cudnn: whether the LSTM may run as cuDNN's kernel, where there is a GPU.

        Raises:
            BundleError: if the weights are not those of the network in the config.
        """
        # Imported here: the folded engine must start without Keras.
        from model.layers.classifier import build_classifier
        from model.layers.ensemble import average_networks
        from model.layers.weights import assign_weights

        config = self.config.network
        lstm = dataclasses.replace(config.lstm, recurrent_dropout=0.0)
        weights = self.read_weights()
        networks = [
            build_classifier(
                dataclasses.replace(config, lstm=lstm),
                ids=self.vocabulary.size,
                max_tokens=self.config.text.max_tokens,
                labels=len(self.labels),
                markers=self.markers,
                cudnn=cudnn,
            )
            for _ in split_members(weights)
        ]
        network = networks[0] if len(networks) == 1 else average_networks(networks)
        assign_weights(network, weights)
        return network

    def make_folded_engine(self, *, threads: int | None = None) -> "FoldedEngine | AverageEngine":
        """The engine that runs the network on a CPU without Keras.

        Args:
            threads: how many tiles of documents run at a time; None for one on every core that
                this process may use.

        Raises:
            BundleError: if the weights are not those of the network in the config.
        """
        # Imported here: only a process that scores with it compiles its kernels.
        from model.folded.average_engine import AverageEngine
        from model.folded.engine import FoldedEngine

        engines = [
            FoldedEngine(weights, self.config.network, markers=self.markers, threads=threads)
            for weights in split_members(self.read_weights())
        ]
        return engines[0] if len(engines) == 1 else AverageEngine(engines)

    def read_weights(self) -> dict[str, Weights]:
        """The trained weights by layer and name, read without Keras and checked with the config.

        Those of an ensemble are named as `model.weights.split_members` says.

        Raises:
            BundleError: if the weights are not those of the network in the config, or no finite
                numbers.
        """
        return self._stored.read_network()

    def read_profile(self) -> dict[str, Any] | None:
        """The profile of the validation documents; None if the model has none."""
        if PROFILE not in self.manifest.get("files", ()):
            return None
        path = self.folder / PROFILE
        content = read_regular(path, limit=LIMITS[PROFILE])
        profile: dict[str, Any] = parse_json(content, where=str(path))
        return profile

    @property
    def _stored(self) -> StoredWeights:
        # While the bundle is being written, it has no manifest yet.
        return StoredWeights(
            folder=self.folder,
            file=weights_file(self.manifest["files"]) if self.manifest else WEIGHTS,
            config=self.config,
            ids=self.vocabulary.size,
            labels=len(self.labels),
        )

    @property
    def has_wide_part(self) -> bool:
        """Whether a wide part stands beside the network."""
        return self.config.network.wide is not None

    def read_wide_part(self) -> WidePart | None:
        """The wide part; None if the model has none.

        Raises:
            BundleError: if its weights are not those of the wide part in the config.
        """
        if self.config.network.wide is None:
            return None
        return WidePart(self._stored.read_wide(), self.vocabulary, head=self.config.network.head)
