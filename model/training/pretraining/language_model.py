"""A language model in both directions, whose embedding and LSTM are those of a classifier.

The state of the forward LSTM at a token predicts the next token, that of the backward LSTM the one
before. A state is projected to the width of the embedding, and the logit of a token is the product
with its vector, plus a bias of the token: input and output share the vectors. The loss of a
prediction is that of a softmax over the right token and a few candidates (`candidates.py`), from
whose logits the logarithm of how often they are expected among the candidates is subtracted. On
average its gradient is about that of the softmax over all tokens.

Inputs, a dictionary:
    token_ids: int32 `(batch, steps)`, padded on the right with 0.
    length: int32 `(batch,)`.
    candidates: int32 `(candidates,)`, ids.
    draws: float32 `(1,)`, how many it took to find them.

Output: float32 `(batch,)`, the sum of the losses of a document's predictions, each multiplied by
the weight of the token (`weigh_tokens`). Padding and unknown tokens are not predicted.

Reference: Dai & Le, "Semi-supervised Sequence Learning", 2015; Jean et al., "On Using Very Large
Target Vocabulary for Neural Machine Translation", 2015; Press & Wolf, 2017, for shared vectors.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from typing_extensions import override

from model.config import NetworkConfig
from model.layers.bilstm import BiLSTM
from model.layers.sequences import LOWEST_ENERGY, Tensor
from model.layers.token_embedding import TokenEmbedding
from model.text.vocabulary import PAD

# A token whose share of the corpus is larger counts less in the loss.
FULL_WEIGHT_SHARE = 1e-4

# The layers whose weights a classifier has, too, under the same names.
SHARED_LAYERS = ("embedding", "bilstm_1.forward_lstm", "bilstm_1.backward_lstm")

FORWARD, BACKWARD = "forward", "backward"
OUTPUT_BIAS = "output_bias"


def build_language_model(
    config: NetworkConfig,
    *,
    counts: np.ndarray,
    first_token_id: int,
    embedding_matrix: np.ndarray | None = None,
    cudnn: bool = True,
) -> keras.Model:
    """Builds the model, untrained; inputs and output are described in the module's docstring.

    It computes in float32 and has no dropout: much text teaches it, and a small network does not
    learn that by heart.

    Args:
        config: the network's settings, of which those of embedding and LSTM are used.
        counts: of each id in the corpus, `(ids,)`. The biases start with their logarithms.
        first_token_id: lower ids are padding and unknown tokens.
        embedding_matrix: initial embedding `(ids, embedding.units)`; random if None.
        cudnn: whether the LSTMs may run as cuDNN's kernel, where there is a GPU.
    """
    inputs = _inputs()
    limit = config.embedding.initial_range
    embedding = TokenEmbedding(
        len(counts),
        config.embedding.units,
        embeddings_initializer=keras.initializers.RandomUniform(-limit, limit),
        trainable=config.embedding.trainable,
        weights=None if embedding_matrix is None else [embedding_matrix],
        name="embedding",
    )
    bias = TokenEmbedding(len(counts), 1, weights=[_log_shares(counts)], name=OUTPUT_BIAS)
    token_ids, candidates = inputs["token_ids"], inputs["candidates"]
    vectors = embedding(token_ids)
    states, _ = BiLSTM(
        config.lstm.units, bidirectional=config.lstm.bidirectional, cudnn=cudnn, name="bilstm_1"
    )(vectors, inputs["length"])
    losses = []
    for number, direction in enumerate(directions_of(config)):
        mine = states[:, :, number * config.lstm.units : (number + 1) * config.lstm.units]
        projection = keras.layers.Dense(config.embedding.units, name=projection_of(direction))
        losses.append(
            NeighborLoss(
                backward=direction == BACKWARD,
                first_token_id=first_token_id,
                weights=weigh_tokens(counts, first_token_id=first_token_id),
                name=f"{direction}_loss",
            )(
                projection(mine),
                token_ids,
                vectors,
                bias(token_ids),
                candidates,
                embedding(candidates),
                bias(candidates),
                inputs["draws"],
            )
        )
    loss = losses[0] if len(losses) == 1 else losses[0] + losses[1]
    return keras.Model(inputs, loss, name="language_model")


def _inputs() -> dict[str, Any]:
    return {
        "token_ids": keras.Input(shape=(None,), dtype="int32", name="token_ids"),
        "length": keras.Input(shape=(), dtype="int32", name="length"),
        "candidates": keras.Input(shape=(), dtype="int32", name="candidates"),
        "draws": keras.Input(shape=(), dtype="float32", name="draws"),
    }


def weigh_tokens(counts: np.ndarray, *, first_token_id: int) -> np.ndarray:
    """How much the prediction of each token counts, float32 `(ids,)`; 0 where it is not predicted.

    The square root of `FULL_WEIGHT_SHARE` / share, at most 1: frequent words, which say little of
    what a text is about, would otherwise be most of what is learned. word2vec leaves out frequent
    words in this proportion (Mikolov et al., 2013).
    """
    share = np.maximum(counts, 1) / max(1, counts.sum())
    weights = np.minimum(1, np.sqrt(FULL_WEIGHT_SHARE / share)).astype(np.float32)
    weights[:first_token_id] = 0
    return weights


def directions_of(config: NetworkConfig) -> tuple[str, ...]:
    """The directions in which the LSTM reads."""
    return (FORWARD, BACKWARD) if config.lstm.bidirectional else (FORWARD,)


def projection_of(direction: str) -> str:
    """The name of the layer that projects the states of a direction."""
    return f"{direction}_projection"


class NeighborLoss(keras.layers.Layer):
    """The loss of predicting the neighbor of every token by the sampled softmax.

    Call arguments:
        hidden: `(batch, steps, units)`, the projected states.
        token_ids: int `(batch, steps)`.
        vectors, bias: of the tokens, `(batch, steps, units)` and `(batch, steps, 1)`.
        candidates: int `(candidates,)`.
        candidate_vectors, candidate_bias: of the candidates, `(candidates, units)` and
            `(candidates, 1)`.
        draws: float `(1,)`.

    Returns: float `(batch,)`, the weighted sum over the tokens that have a neighbor to predict.

    Args:
        backward: whether the token before is predicted, not the next one.
        first_token_id: of the vocabulary.
        weights: from `weigh_tokens`.
    """

    def __init__(
        self, *, backward: bool, first_token_id: int, weights: np.ndarray, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.backward = backward
        self.first_token_id = first_token_id
        self.tokens = len(weights) - first_token_id
        self._weights = weights

    @override
    def call(
        self,
        hidden: Tensor,
        token_ids: Tensor,
        vectors: Tensor,
        bias: Tensor,
        candidates: Tensor,
        candidate_vectors: Tensor,
        candidate_bias: Tensor,
        draws: Tensor,
    ) -> Tensor:
        at, to = (slice(1, None), slice(0, -1)) if self.backward else (slice(0, -1), slice(1, None))
        hidden, targets = hidden[:, at], token_ids[:, to]
        # Padding is on the right: where the second of two neighbors is real, the first is, too.
        weights = ops.take(ops.convert_to_tensor(self._weights), targets, axis=0)
        predicted = ops.cast(token_ids[:, 1:] != PAD, weights.dtype)
        right = ops.sum(hidden * vectors[:, to], axis=-1) + bias[:, to, 0]
        right = right - self._log_expected(targets, draws)
        offsets = candidate_bias[:, 0] - self._log_expected(candidates, draws)
        wrong = ops.matmul(hidden, ops.transpose(candidate_vectors)) + offsets
        hit = ops.expand_dims(targets, -1) == candidates
        losses = log_loss_of(right, ops.where(hit, LOWEST_ENERGY, wrong))
        return ops.sum(weights * predicted * losses, axis=1)

    def _log_expected(self, ids: Tensor, draws: Tensor) -> Tensor:
        """The logarithm of how often a token is expected among the candidates."""
        rank = ops.cast(ops.maximum(ids - self.first_token_id, 0), "float32")
        share = ops.log1p(1 / (rank + 1)) / float(np.log(self.tokens + 1))
        return ops.log(-ops.expm1(draws[0] * ops.log1p(-share)))

    @override
    def compute_output_shape(self, hidden_shape: Any, *args: Any, **kwargs: Any) -> Any:
        return (hidden_shape[0],)


def log_loss_of(right: Tensor, wrong: Tensor) -> Tensor:
    """The loss -log softmax of the right logit among the wrong ones.

    The gradient is written down, because it needs only the probabilities: on a CPU, the derivative
    of every step of the formula would pass over `wrong`, by far the largest tensor, several times.

    Args:
        right: float32 `(batch, steps)`.
        wrong: float32 `(batch, steps, candidates)`.

    Returns:
        float32 `(batch, steps)`.
    """

    @ops.custom_gradient
    def compute(right: Tensor, wrong: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        highest = ops.maximum(ops.max(wrong, axis=-1), right)
        shares = ops.exp(wrong - ops.expand_dims(highest, -1))
        total = ops.sum(shares, axis=-1) + ops.exp(right - highest)

        def gradient(*args: Tensor, upstream: Tensor = None) -> tuple[Tensor, Tensor]:
            each = args[0] if upstream is None else upstream
            error = ops.exp(right - highest) / total - 1
            return each * error, shares * ops.expand_dims(each / total, -1)

        return highest + ops.log(total) - right, gradient

    return compute(right, wrong)


def _log_shares(counts: np.ndarray) -> np.ndarray:
    """The logarithm of each id's share of the corpus, float32 `(ids, 1)`; none is 0."""
    shares = (counts + 1) / (counts.sum() + len(counts))
    return np.log(shares).astype(np.float32)[:, None]
