"""The names and shapes of a network's weights, as Keras, the folded engine and files share them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

import numpy as np

from model.config import NetworkConfig

Weights: TypeAlias = Mapping[str, np.ndarray]  # of one layer: float32, by name
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]  # of one layer's weights, by name

T = TypeVar("T")

DIRECTIONS = ("forward_lstm", "backward_lstm")  # the sublayers of `model.layers.bilstm.BiLSTM`


def weight_shapes(
    config: NetworkConfig, *, ids: int, max_tokens: int, labels: int
) -> dict[str, Shapes]:
    """The shape of every weight of a network of `model.layers.classifier`, by layer and name.

    The layers are `embedding`, each direction of each recurrent layer, such as
    `bilstm_1.forward_lstm`, `attention` (not of kinds without weights), and `head`. A layer's
    weights are in the order in which the Keras layer creates them.

    Args:
        config: the network's settings.
        ids: rows of the embedding table.
        max_tokens: the most tokens of a document.
        labels: number of labels.
    """
    units = config.lstm.units
    features = config.embedding.units
    width = config.state_width
    shapes: dict[str, Shapes] = {"embedding": {"embeddings": (ids, features)}}
    for number in range(1, config.lstm.layers + 1):
        for direction in DIRECTIONS[: 1 + config.lstm.bidirectional]:
            shapes[f"bilstm_{number}.{direction}"] = {
                "kernel": (features, 4 * units),
                "recurrent_kernel": (units, 4 * units),
                "bias": (4 * units,),
            }
        features = width
    attention, pooled = _attention_shapes(config, width=width, max_tokens=max_tokens)
    if attention:
        shapes["attention"] = attention
    logits = 1 if config.head == "sigmoid" else labels
    inputs = pooled + len(config.entities) * width
    shapes["head"] = {"kernel": (inputs, logits), "bias": (logits,)}
    return shapes


_MEMBER = "member-"


def member_name(number: int) -> str:
    """What the names of the layers of an ensemble's network begin with; networks count from 1."""
    return f"{_MEMBER}{number}"


def split_members(weights: Mapping[str, T]) -> list[dict[str, T]]:
    """The weights of each network of an ensemble, by layer; of a single network, as they are.

    Args:
        weights: by layer; a layer of an ensemble is named `member-<number>.<layer>`.
    """
    count = len({name.split(".")[0] for name in weights if name.startswith(_MEMBER)})
    if not count:
        return [dict(weights)]
    starts = [f"{member_name(number)}." for number in range(1, count + 1)]
    return [
        {name.removeprefix(start): weights[name] for name in weights if name.startswith(start)}
        for start in starts
    ]


def join_members(members: Sequence[Mapping[str, T]]) -> dict[str, T]:
    """The weights of all networks of an ensemble, named as `split_members` takes them."""
    if len(members) == 1:
        return dict(members[0])
    return {
        f"{member_name(number)}.{layer}": value
        for number, member in enumerate(members, 1)
        for layer, value in member.items()
    }


def check_weights(weights: Mapping[str, Weights], shapes: Mapping[str, Shapes]) -> None:
    """Checks that weights have exactly the expected names and shapes.

    Raises:
        ValueError: naming the first weight that is missing, unknown or of another shape.
    """
    got = {
        layer: {name: np.shape(array) for name, array in named.items()}
        for layer, named in weights.items()
    }
    check_shapes(got, shapes)


def check_shapes(found: Mapping[str, Shapes], shapes: Mapping[str, Shapes]) -> None:
    """As `check_weights`, for the shapes that the header of a file gives."""
    got = by_full_name(found)
    expected = by_full_name(shapes)
    for name, shape in expected.items():
        if name not in got:
            raise ValueError(f"{name}: expected a weight of shape {shape}, got none")
        if got[name] != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {got[name]}")
    for name, shape in got.items():
        if name not in expected:
            raise ValueError(f"{name}: expected no such weight, got one of shape {shape}")


# Far above any trained weight. No sum of products of such weights and of states overflows, so that
# every document gets a finite prediction.
MAX_WEIGHT = 1e8


def check_finite(weights: Mapping[str, Weights]) -> None:
    """Checks that every weight is a number within +-`MAX_WEIGHT`.

    Raises:
        ValueError: naming the first array that has another value.
    """
    for name, array in by_full_name(weights).items():
        # NaN is neither above nor below, and `min` and `max` return it.
        if array.size and not (array.min() >= -MAX_WEIGHT and array.max() <= MAX_WEIGHT):
            raise ValueError(f"{name}: expected numbers within +-{MAX_WEIGHT:g}, got others or NaN")


def by_full_name(layers: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """Joins the names of layers and weights: `bilstm_1.forward_lstm` and `kernel` by a point."""
    return {
        f"{layer}.{name}": value for layer, named in layers.items() for name, value in named.items()
    }


def _attention_shapes(config: NetworkConfig, *, width: int, max_tokens: int) -> tuple[Shapes, int]:
    """The shapes of the attention layer's weights, and the width of what it pools.

    `width` is that of the states that it reads.
    """
    units, heads = config.attention.units, config.attention.heads
    match config.attention.kind:
        case "zhou":
            return {"kernel": (width, 1)}, width
        case "dense":
            return {"kernel": (width, 1), "bias": (1,)}, width
        case "positional":
            return {"kernel": (width, 1), "bias": (max_tokens,)}, width
        case "context":
            return {"kernel": (width, units), "bias": (units,), "context": (units, 1)}, width
        case "luong":
            return {"kernel": (width, width), "output_kernel": (2 * width, units)}, units
        case "bahdanau":
            return {
                "last_kernel": (width, width),
                "state_kernel": (width, width),
                "energy_kernel": (width, 1),
                "output_kernel": (2 * width, units),
            }, units
        case "multihead":
            return {"kernel": (width, units), "queries": (units, heads)}, heads * width
        case _:
            return {}, width
