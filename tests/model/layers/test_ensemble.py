"""An ensemble predicts the mean of its networks, with every engine."""

from pathlib import Path

import numpy as np
import pytest

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import WEIGHTS
from model.bundle.weights_file import read_weights, write_weights
from model.config import ResolvedTrainingConfig
from model.layers.keras_engine import KerasEngine
from model.weights import join_members, split_members
from tests.model.bundles import LABELS, make_bundle, seal

IDS = np.array([2, 3, 4, 1, 5, 6, 9, 8, 7], np.int32)
ROW_OFFSETS = np.array([0, 4, 5, 9])


def make_ensemble(folder: Path) -> tuple[Bundle, list[Bundle]]:
    """A model directory with the weights of three others, and these."""
    members = [make_bundle(folder / name, spread=0.5) for name in ("one", "two", "three")]
    for number, member in enumerate(members):
        weights = {
            layer: {name: array * (1 + number) for name, array in named.items()}
            for layer, named in member.read_weights().items()
        }
        write_weights(member.folder / WEIGHTS, weights)
        seal(member.folder)
    training = ResolvedTrainingConfig(epochs=1, seeds=(1, 2, 3), ensemble=True)
    joined = make_bundle(folder / "joined", training=training)
    write_weights(
        joined.folder / WEIGHTS,
        join_members([read_weights(member.folder / WEIGHTS) for member in members]),
    )
    return joined, members


@pytest.mark.parametrize("engine", ["keras", "folded"])
def test_probabilities_and_attention_are_the_means(engine: str, tmp_path: Path) -> None:
    ensemble, members = make_ensemble(tmp_path)

    def run(bundle: Bundle) -> tuple[np.ndarray, np.ndarray]:
        if engine == "keras":
            return KerasEngine(bundle.build_network()).run(IDS, ROW_OFFSETS)
        return bundle.make_folded_engine().run(IDS, ROW_OFFSETS)

    probabilities, attention = run(ensemble)
    each = [run(member) for member in members]
    assert probabilities.shape == (3, len(LABELS))
    assert np.allclose(probabilities, np.mean([both[0] for both in each], axis=0), atol=1e-6)
    assert np.allclose(attention, np.mean([both[1] for both in each], axis=0), atol=1e-6)
    assert not np.allclose(each[0][0], each[2][0], atol=1e-3)


def test_an_ensemble_that_lacks_a_layer_of_one_network_is_refused(tmp_path: Path) -> None:
    ensemble, _ = make_ensemble(tmp_path)
    weights = read_weights(ensemble.folder / WEIGHTS)
    del weights["member-2.head"]
    write_weights(ensemble.folder / WEIGHTS, weights)
    with pytest.raises(BundleError, match=r"member-2\.head"):
        ensemble.read_weights()


def test_members_are_joined_and_split() -> None:
    members = [{"embedding": 1, "bilstm_1.forward_lstm": 2}, {"embedding": 3}]
    assert split_members(join_members(members)) == members
    assert split_members(members[0]) == [members[0]]
