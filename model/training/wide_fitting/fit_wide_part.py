"""Fits the wide part of a model, and chooses how much it counts beside the network."""

import dataclasses
import logging

import numpy as np
from scipy import optimize

from model.config import WideConfig
from model.text.vocabulary import Vocabulary
from model.training.wide_fitting.matrices import build_matrices
from model.training.wide_fitting.mix import Mix
from model.training.wide_fitting.solver import LogisticRegression
from model.wide.documents import WholeDocuments
from model.wide.wide_part import combine

logger = logging.getLogger("limelight")

# Strengths C of the loss against the penalty, from strong regularization to weak. The first one
# after which the validation loss rises ends the search.
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)

# Without a validation split: the middle of what was chosen with one (TREC and SMS spam 30,
# tweets 1, IMDB 10), and the geometric mean of network and wide part.
DEFAULT_STRENGTH = 10.0
DEFAULT_MIX = (0.5, 0.5)

# The network alone, and the wide part alone: what the chosen mix is compared with.
NETWORK_ALONE = (1.0, 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LabeledDocuments:
    """Whole documents with what is to be learned of them.

    Attributes:
        documents: their tokens.
        targets: float32 `(rows, labels)`, the probability of each label.
        weights: float32 `(rows,)`, how much each document counts.
    """

    documents: WholeDocuments
    targets: np.ndarray
    weights: np.ndarray


def fit_wide_part(
    train: LabeledDocuments,
    validation: LabeledDocuments | None,
    vocabulary: Vocabulary,
    *,
    config: WideConfig,
    exclusive: bool,
) -> dict[str, np.ndarray]:
    """Fits the wide part; C is the strength with the lowest loss on validation.

    Args:
        train: what it is fitted on.
        validation: what C is chosen on; None: C is `DEFAULT_STRENGTH`.
        vocabulary: of the dataset.
        config: its sizes.
        exclusive: whether a document has exactly one of the labels.

    Returns:
        The weights that `WidePart` takes, with `DEFAULT_MIX` as `mix`.
    """
    problem = LogisticRegression(
        build_matrices(train.documents, vocabulary, config),
        columns_of(train.targets, exclusive=exclusive),
        train.weights,
        exclusive=exclusive,
    )
    if validation is None:
        [best] = problem.solve((DEFAULT_STRENGTH,))
    else:
        matrices = build_matrices(validation.documents, vocabulary, config)
        equal = np.full(validation.targets.shape, 1 / validation.targets.shape[1], np.float32)
        least = np.inf
        for fit in problem.solve(STRENGTHS):
            alone = combine(equal, fit.logits(matrices), mix=np.ones(2), exclusive=exclusive)
            loss = mean_loss(alone, validation, exclusive=exclusive)
            if loss >= least:
                break
            least, best = loss, fit
        logger.info("wide part: C is %g, validation loss %.4f", best.strength, least)
    weights = {
        "tokens": best.tokens,
        "bigrams": best.bigrams,
        "bias": best.bias,
        "mix": np.array(DEFAULT_MIX, np.float32),
    }
    return weights if best.characters is None else {**weights, "characters": best.characters}


def choose_mix(
    probabilities: np.ndarray, logits: np.ndarray, truth: LabeledDocuments, *, exclusive: bool
) -> Mix:
    """The shares α of the network and β of the wide part with the lowest loss on validation.

    The loss is convex in both, so there is one best pair. Neither is below 0.

    Args:
        probabilities: of the network on the validation split, `(rows, labels)`.
        logits: of the wide part, `(rows, columns)`.
        truth: the validation split.
        exclusive: whether a document has exactly one of the labels.
    """

    def loss(mix: np.ndarray) -> float:
        together = combine(probabilities, logits, mix=mix, exclusive=exclusive)
        return mean_loss(together, truth, exclusive=exclusive)

    found = optimize.minimize(
        loss, np.array(DEFAULT_MIX), method="L-BFGS-B", bounds=[(0, None), (0, None)]
    )
    return Mix(
        network=float(found.x[0]),
        wide=float(found.x[1]),
        network_loss=loss(np.array(NETWORK_ALONE)),
        loss=loss(found.x),
    )


def mean_loss(probabilities: np.ndarray, truth: LabeledDocuments, *, exclusive: bool) -> float:
    """The mean cross-entropy of predictions `(rows, labels)`, over labels too if independent."""
    known = np.log(np.maximum(probabilities, 1e-15))
    losses = -(truth.targets * known).sum(axis=1)
    if not exclusive:
        rest = np.log(np.maximum(1 - probabilities, 1e-15))
        losses = (losses - ((1 - truth.targets) * rest).sum(axis=1)) / truth.targets.shape[1]
    return float(np.average(losses, weights=truth.weights))


def columns_of(targets: np.ndarray, *, exclusive: bool) -> np.ndarray:
    """The targets of the columns of weights: of two labels that exclude each other, the second."""
    return targets[:, 1:] if exclusive and targets.shape[1] == 2 else targets
