"""Losses beside that of the label: at changed word vectors, and of the predictions themselves.

The change r of a document's word vectors v has a fixed norm over all its tokens, so it is small for
each of them. It is the change that matters most, to the first order: with the gradient g of a loss,
r = norm * g / |g|. With the probabilities p at v, the further losses of a document are

    adversarial:          -log p(label | v + r), with g of -log p(label | v)
    virtual adversarial:  KL(p | p(v + r)), with g of KL(p | p(v + r)) at r = xi * d, where the
                          direction d is random and has norm 1; p is a constant
    entropy:              -Σ_k p_k log p_k

The last two need no label. All passes of a step use the same dropout, so that predictions differ
because of r alone.

Reference: Miyato, Dai & Goodfellow, 2017, for the first two; Grandvalet & Bengio, 2005, for the
entropy; Sachan et al., "Revisiting LSTM Networks for Semi-Supervised Text Classification via Mixed
Objective Function", 2019, for their sum.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from model.config import AdversarialConfig, Head, TrainingConfig, VirtualAdversarialConfig
from model.layers.sequences import Tensor, real_steps
from model.training.backends.passes import Passes
from model.training.losses import divergence, entropy, make_loss

# Losses are multiplied by this before their gradients are taken, of which the direction alone is
# used: in float16, many would be 0.
GRADIENT_SCALE = 1024.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class FurtherLosses:
    """The further losses that a config asks for; `model.training.backends` calls them.

    Attributes:
        head: of the network.
        config: `adversarial`, `virtual_adversarial`, `entropy_weight`, `label_smoothing`.
        soft_labels: as for `make_loss`.
        labeled_share: as for `make_loss`.
    """

    head: Head
    config: TrainingConfig
    soft_labels: bool = False
    labeled_share: float = 1.0

    def __call__(self, passes: Passes, label: Tensor) -> list[Tensor]:
        """The further losses of each document with their weights, float32 `(batch,)` each.

        Args:
            passes: runs the network on one batch.
            label: of its documents, the truth that `make_loss` takes.
        """
        config = self.config
        losses = []
        if config.adversarial is not None and config.adversarial.weight:
            loss = self._adversarial(passes, label, config.adversarial)
            losses.append(config.adversarial.weight * loss)
        if config.virtual_adversarial is not None and config.virtual_adversarial.weight:
            loss = self._virtual_adversarial(passes, config.virtual_adversarial)
            losses.append(config.virtual_adversarial.weight * loss)
        if config.entropy_weight:
            losses.append(config.entropy_weight * entropy(passes.logits, head=self.head))
        return losses

    def _adversarial(self, passes: Passes, label: Tensor, settings: AdversarialConfig) -> Tensor:
        label_loss = make_loss(
            self.head,
            label_smoothing=self.config.label_smoothing,
            soft_labels=self.soft_labels,
            labeled_share=self.labeled_share,
        )

        def loss(logits: Tensor) -> Tensor:
            return label_loss(label, logits)

        gradient = _gradient(passes, loss, passes.vectors)
        return loss(passes.run(_moved(passes, gradient, norm=settings.norm)))

    def _virtual_adversarial(self, passes: Passes, settings: VirtualAdversarialConfig) -> Tensor:
        predicted = ops.stop_gradient(passes.logits)

        def loss(logits: Tensor) -> Tensor:
            return divergence(predicted, logits, head=self.head)

        gradient = _gradient(passes, loss, _moved(passes, passes.noise(), norm=settings.xi))
        return loss(passes.run(_moved(passes, gradient, norm=settings.norm)))


def _moved(passes: Passes, direction: Tensor, *, norm: float) -> Tensor:
    """The vectors of the batch after a change by `norm` in a direction."""
    change = scale_documents(direction, passes.length, norm=norm)
    return passes.vectors + ops.cast(change, passes.vectors.dtype)


def scale_documents(values: Tensor, length: Tensor, *, norm: float) -> Tensor:
    """The values of each document's real tokens, scaled to one norm over all of them together.

    Args:
        values: float `(batch, steps, units)`.
        length: int `(batch,)`, real tokens of each document.
        norm: of the result of each document.

    Returns:
        float32 `(batch, steps, units)`: 0 at padding, and for a document whose values are all 0.
        No gradient passes through it.
    """
    real = ops.expand_dims(real_steps(length, ops.shape(values)[1]), -1)
    values = ops.where(real, ops.cast(values, "float32"), 0.0)
    # Squares of small numbers would be 0: they are divided by the largest first.
    largest = ops.max(ops.abs(values), axis=(1, 2), keepdims=True)
    values = values / ops.where(largest > 0, largest, 1.0)
    length_of = ops.sqrt(ops.sum(ops.square(values), axis=(1, 2), keepdims=True))
    return ops.stop_gradient(norm * values / ops.maximum(length_of, np.float32(1e-12)))


def _gradient(passes: Passes, loss: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
    return passes.gradient(lambda logits: GRADIENT_SCALE * ops.sum(loss(logits)), vectors)
