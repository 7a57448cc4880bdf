"""The loss that training minimizes, for each head of the network, from its logits.

Each loss is a sum of softplus(x) = log(1 + exp(x)), whose gradient, the sigmoid of x, keeps its
digits where a probability has none left. A document that the network is sure of, right or wrong,
has the gradient that it should have.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from model.config import Head
from model.layers.logits import probabilities_of
from model.layers.sequences import LOWEST_ENERGY, Tensor
from model.training.targets import targets_of, teaches


def make_loss(
    head: Head, *, label_smoothing: float, soft_labels: bool = False, labeled_share: float = 1.0
) -> Callable[[Any, Any], Any]:
    """Negative log likelihood of a document's label; for `multilabel`, its mean over all labels.

    Label smoothing by e replaces the true distribution q by (1 - e) q + e / labels. For
    `multilabel`, each label has two outcomes, so its truth q becomes (1 - e) q + e / 2.

    Args:
        head: of the network.
        label_smoothing: e.
        soft_labels: the truth is what `truth_of_documents` returns. The loss is then the
            cross-entropy with the targets in it.
        labeled_share: of the documents of an epoch. Below 1, documents without a label have the
            loss 0, and that of the others is divided by the share, so that the mean over all
            documents of an epoch is that over the labeled ones.

    Returns:
        A function of the truth, int `(batch,)` or `(batch, labels)` of 0 and 1, and the logits,
        float32 `(batch, labels)`, to the losses, float32 `(batch,)`.

    Reference: Szegedy et al., 2016, section 7, for smoothing.
    """

    def loss(truth: Tensor, logits: Tensor) -> Tensor:
        if labeled_share == 1:
            return of_label(truth, logits)
        return ops.where(teaches(truth), of_label(truth, logits) / labeled_share, 0.0)

    def of_label(truth: Tensor, logits: Tensor) -> Tensor:
        if soft_labels:
            truth = targets_of(truth, logits)
        if head == "multilabel":
            return _binary_losses(truth, logits, label_smoothing=label_smoothing)
        if soft_labels:
            return _mixed_losses(truth, logits, label_smoothing=label_smoothing)
        one_hot = ops.one_hot(ops.cast(ops.reshape(truth, (-1,)), "int32"), logits.shape[-1])
        return _exclusive_losses(one_hot, logits, label_smoothing=label_smoothing)

    return loss


def divergence(truth: Tensor, logits: Tensor, *, head: Head) -> Tensor:
    """The Kullback-Leibler divergence of the distributions of logits from those of `truth`.

    Σ_k p_k (log p_k - log q_k); for `multilabel`, the mean over the labels of that of each label's
    two outcomes.

    Args:
        truth: logits of p, float32 `(batch, labels)`.
        logits: of q, float32 `(batch, labels)`.
        head: of the network.

    Returns:
        float32 `(batch,)`, at least 0 but for rounding.
    """
    return _cross_entropy(truth, logits, head=head) - _cross_entropy(truth, truth, head=head)


def entropy(logits: Tensor, *, head: Head) -> Tensor:
    """The entropy of the distributions of logits `(batch, labels)`, float32 `(batch,)`.

    For `multilabel`, it is the mean over the labels of that of each label's two outcomes.
    """
    return _cross_entropy(logits, logits, head=head)


def _cross_entropy(truth: Tensor, logits: Tensor, *, head: Head) -> Tensor:
    """-Σ_k p_k log q_k of the logits of p and of q."""
    p = probabilities_of(truth, head=head)
    if head == "multilabel":
        return ops.mean(p * ops.softplus(-logits) + (1 - p) * ops.softplus(logits), axis=-1)
    return -ops.sum(p * ops.log_softmax(logits, axis=-1), axis=-1)


def _exclusive_losses(one_hot: Tensor, logits: Tensor, *, label_smoothing: float) -> Tensor:
    """Σ_k q_k (log Σ_j exp(l_j) - l_k), `(batch,)`; without smoothing, that is -log p_y.

    For the true label y it is computed as softplus(log Σ_{j≠y} exp(l_j) - l_y). The plain form
    has the gradient p_y - 1 for l_y, which is 0 as soon as p_y rounds to 1.
    """
    true = ops.sum(one_hot * logits, axis=-1)
    others = ops.logsumexp(ops.where(one_hot > 0, LOWEST_ENERGY, logits), axis=-1)
    losses = ops.softplus(others - true)
    if label_smoothing == 0:
        return losses
    every_label = ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1)
    return (1 - label_smoothing) * losses + label_smoothing * every_label


def _mixed_losses(targets: Tensor, logits: Tensor, *, label_smoothing: float) -> Tensor:
    """Σ_k q_k (log Σ_j exp(l_j) - l_k) for targets q that sum to 1, `(batch,)`.

    With the label y that q finds most likely, it is the loss for y plus l_y - Σ_k q_k l_k, so that
    a target of 0 and 1 has the same loss and gradient as a hard label.
    """
    q = (1 - label_smoothing) * targets + label_smoothing / logits.shape[-1]
    one_hot = ops.one_hot(ops.argmax(targets, axis=-1), logits.shape[-1], dtype=logits.dtype)
    most_likely = _exclusive_losses(one_hot, logits, label_smoothing=0)
    return most_likely + ops.sum((one_hot - q) * logits, axis=-1)


def _binary_losses(truth: Tensor, logits: Tensor, *, label_smoothing: float) -> Tensor:
    """The mean over the labels of q softplus(-l) + (1 - q) softplus(l), `(batch,)`."""
    q = (1 - label_smoothing) * ops.cast(truth, logits.dtype) + label_smoothing / 2
    return ops.mean(q * ops.softplus(-logits) + (1 - q) * ops.softplus(logits), axis=-1)
