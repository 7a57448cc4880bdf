"""Passes of one batch through the network from its word vectors on; a backend implements them."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras

from model.layers.sequences import Tensor

# The last layer before the recurrent ones: its output is the word vectors after dropout.
LAST_OF_EMBEDDING = "word_dropout"


class Passes(abc.ABC):
    """Passes of one batch, in training. All of them use the same dropout.

    Attributes:
        vectors: of the tokens, after the embedding's dropout, `(batch, steps, units)`.
        logits: of the pass with these vectors, float32 `(batch, labels)`.
        length: int `(batch,)`, real tokens of each document.
    """

    vectors: Tensor
    logits: Tensor
    length: Tensor

    @abc.abstractmethod
    def run(self, vectors: Tensor) -> Tensor:
        """The logits of other vectors."""

    @abc.abstractmethod
    def gradient(self, loss: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
        """The gradient for `vectors` of a loss of their logits; no gradient passes through it."""

    @abc.abstractmethod
    def noise(self) -> Tensor:
        """Numbers of the standard normal distribution in the shape of `vectors`, float32."""


# Further losses, each of each document, float32 `(batch,)`, from the passes of a batch and its
# labels.
Further: TypeAlias = Callable[[Passes, Tensor], Sequence[Tensor]]


class Parts:
    """The two parts of a network: up to the word vectors, and from them to the logits.

    Not a Keras layer, so that a model that has one does not count the layers twice.
    """

    def __init__(self, network: keras.Model, logits: Any) -> None:
        vectors = network.get_layer(LAST_OF_EMBEDDING).output
        self._embed = keras.Model(network.inputs, vectors)
        names = ("token_ids", "length")
        self._rest = keras.Model([*(network.input[name] for name in names), vectors], logits)
        weights = {id(weight) for weight in self._rest.weights}
        # The states of the random numbers of dropout after the embedding.
        self.seeds = [each for each in self._rest.variables if id(each) not in weights]

    def embed(self, inputs: dict[str, Tensor]) -> Tensor:
        """The vectors of a batch's tokens, in training."""
        return self._embed(inputs, training=True)

    def run(self, inputs: dict[str, Tensor], vectors: Tensor) -> Tensor:
        """The logits of a batch whose tokens have these vectors, in training."""
        return self._rest([inputs["token_ids"], inputs["length"], vectors], training=True)
