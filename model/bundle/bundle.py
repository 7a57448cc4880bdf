"""A verified model directory, as scorers and stages use it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.bundle.errors import BundleError
from model.bundle.file_names import CONFIG, WEIGHTS
from model.bundle.golden import GoldenDocument, read_golden
from model.config import ModelConfig
from model.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    import keras


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

    def read_golden(self) -> list[GoldenDocument]:
        """The documents whose predictions every scorer must reproduce."""
        return read_golden(self.folder)

    def build_network(self) -> "keras.Model":
        """Builds the network with its trained weights on this machine, for inference.

        It is built rather than loaded as a traced graph, so that Keras can choose cuDNN on a GPU.
        Recurrent dropout is left out, because only training uses it. With it, neither cuDNN nor
        the fused kernel could run, and a SavedModel would contain its random state.

        Raises:
            BundleError: if the weights are not those of the network in the config.
        """
        # Imported here: the folded engine must start without Keras.
        from model.layers.classifier import build_classifier

        config = self.config.network
        lstm = dataclasses.replace(config.lstm, recurrent_dropout=0.0)
        network = build_classifier(
            dataclasses.replace(config, lstm=lstm),
            ids=self.vocabulary.size,
            max_tokens=self.config.text.max_tokens,
            labels=len(self.labels),
        )
        try:
            network.load_weights(self.folder / WEIGHTS)
        except (ValueError, OSError) as error:
            raise self._wrong_weights(error) from error
        return network

    def read_weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The trained weights by layer and name, read without Keras.

        Raises:
            BundleError: if the weights are not those of the network in the config.
        """
        # Imported here: only the folded engine needs it, and importing h5py takes 0.1 s.
        from model.folded.weights import read_weights_file

        try:
            return read_weights_file(self.folder / WEIGHTS, kind=self.config.network.attention.kind)
        except (ValueError, OSError, KeyError) as error:
            raise self._wrong_weights(error) from error

    def _wrong_weights(self, error: Exception) -> BundleError:
        return BundleError(
            f"{self.folder / WEIGHTS}: expected the weights of the network in {CONFIG}, got "
            f"{' '.join(str(error).split())[:200]}. Train the model again."
        )
