"""Fitting the wide part: the optimum of a convex problem, C and the mix by validation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, softmax

from model.config import WideConfig
from model.training.wide_fitting import solver
from model.training.wide_fitting.fit_wide_part import (
    choose_mix,
    columns_of,
    fit_wide_part,
    mean_loss,
)
from model.training.wide_fitting.matrices import build_matrices
from model.training.wide_fitting.solver import LogisticRegression
from model.wide.wide_part import WidePart, combine
from tests.model.training.wide_fitting.wide_documents import VOCABULARY, label_texts, random_texts

SIZES = WideConfig(bigram_bits=8, character_bits=8)
WITHOUT_CHARACTERS = WideConfig(bigram_bits=8, character_bits=None)


def fit(rows: int = 200) -> tuple[WidePart, float]:
    train, validation = (label_texts(*random_texts(rows, seed=seed)) for seed in (1, 2))
    weights = fit_wide_part(train, validation, VOCABULARY, config=SIZES, exclusive=True)
    part = WidePart(weights, VOCABULARY, head="softmax")
    logits = part.logits(validation.documents)
    right = (logits[:, 0] > 0) == (validation.targets[:, 1] == 1)
    return part, float(right.mean())


def test_it_learns_words_and_the_characters_of_unknown_ones() -> None:
    part, accuracy = fit()
    assert accuracy > 0.85
    bad, good = part.logits(label_texts(["badness", "goodness"], [0, 1]).documents)
    assert bad < good  # neither word was in a training document


def test_two_fits_are_equal_to_the_bit() -> None:
    (one, _), (other, _) = fit(50), fit(50)
    assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


@pytest.mark.parametrize("count", [2, 3])
def test_the_solution_is_the_minimum(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "LEAST_GAIN", 1e-12)
    texts, labels = random_texts(120, seed=3)
    labels = [
        label + (count == 3 and "not" in text) for label, text in zip(labels, texts, strict=True)
    ]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(texts))
    weights *= len(weights) / weights.sum()
    documents = label_texts(texts, labels, count=count, weights=list(weights))
    matrices = build_matrices(documents.documents, VOCABULARY, WITHOUT_CHARACTERS)
    targets = columns_of(documents.targets, exclusive=True)
    problem = LogisticRegression(matrices, targets, documents.weights, exclusive=True)
    [found] = problem.solve((3.0,))
    features = np.hstack(
        [(matrices.kinds @ matrices.weight_rows).toarray(), matrices.bigrams.toarray()]
    ).astype(np.float64)
    logits = features @ np.concatenate([found.tokens, found.bigrams]) + found.bias
    shares = softmax(logits, axis=1) if count > 2 else expit(logits)
    errors = 3.0 * weights[:, None] * (shares - targets)
    scales = np.array(
        [
            [scale(column > 0, targets[:, label], weights) for label in range(targets.shape[1])]
            for column in features.T
        ]
    )
    # The objective is convex: where all its derivatives are 0, it has its minimum.
    penalty = np.concatenate([found.tokens, found.bigrams]) / scales**2
    gradient = features.T @ errors
    assert np.allclose(gradient, -penalty, atol=3e-3 * np.abs(gradient).max())
    assert np.allclose(errors.sum(axis=0), 0, atol=1e-2)
    assert np.allclose(logits, found.logits(matrices), atol=1e-5)


def scale(present: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    """Equation 2 of Wang and Manning (2012) for one feature and one label, and 0.3."""
    inside = (present * target * weights).sum() + 1
    outside = (present * (1 - target) * weights).sum() + 1
    share_inside = inside / ((target * weights).sum() + 2)
    share_outside = outside / (((1 - target) * weights).sum() + 2)
    return 0.3 + abs(math.log(share_inside / share_outside))


def test_the_model_computes_the_logits_that_were_fitted() -> None:
    documents = label_texts(*random_texts(60, seed=4))
    matrices = build_matrices(documents.documents, VOCABULARY, SIZES)
    targets = columns_of(documents.targets, exclusive=True)
    problem = LogisticRegression(matrices, targets, documents.weights, exclusive=True)
    [found] = problem.solve((10.0,))
    weights = {
        "tokens": found.tokens,
        "bigrams": found.bigrams,
        "characters": found.characters,
        "bias": found.bias,
        "mix": np.ones(2, np.float32),
    }
    part = WidePart(weights, VOCABULARY, head="softmax")
    assert np.allclose(part.logits(documents.documents), found.logits(matrices), atol=1e-4)


def test_a_limit_of_weights_keeps_the_most_frequent_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solver, "MAX_WEIGHTS", 4)
    documents = label_texts(["film good", "film bad", "film very good"], [1, 0, 1])
    matrices = build_matrices(documents.documents, VOCABULARY, WITHOUT_CHARACTERS)
    targets = columns_of(documents.targets, exclusive=True)
    problem = LogisticRegression(matrices, targets, documents.weights, exclusive=True)
    [found] = problem.solve((10.0,))
    known = [VOCABULARY.tokens[row - 2] for row in np.flatnonzero(found.tokens)]
    assert known == ["good", "film"]
    assert not found.bigrams.any()


def test_without_validation_the_default_strength_is_used() -> None:
    train = label_texts(*random_texts(50, seed=1))
    weights = fit_wide_part(train, None, VOCABULARY, config=SIZES, exclusive=True)
    assert list(weights["mix"]) == [0.5, 0.5]


def test_the_mix_has_the_lowest_loss_of_a_grid() -> None:
    random = np.random.default_rng(5)
    truth = label_texts(*random_texts(300, seed=6))
    signal = 4 * truth.targets[:, 1] - 2
    network = 1 / (1 + np.exp(-3 * (signal + random.normal(0, 3, len(signal)))))  # too certain
    probabilities = np.stack([1 - network, network], axis=1)
    logits = (signal + random.normal(0, 3, len(signal)))[:, None]
    mix = choose_mix(probabilities, logits, truth, exclusive=True)

    def loss(network_share: float, wide_share: float) -> float:
        both = np.array([network_share, wide_share])
        together = combine(probabilities, logits, mix=both, exclusive=True)
        return mean_loss(together, truth, exclusive=True)

    grid = [loss(one, other) for one in np.linspace(0, 2, 21) for other in np.linspace(0, 2, 21)]
    assert loss(mix.network, mix.wide) <= min(grid) + 1e-6
    assert mix.loss == loss(mix.network, mix.wide)
    assert mix.network_loss == loss(1, 0)


def test_a_network_that_knows_nothing_gets_no_share() -> None:
    truth = label_texts(*random_texts(300, seed=7))
    wrong = np.where(truth.targets == 1, 0.2, 0.8)
    logits = (8 * truth.targets[:, 1] - 4)[:, None]
    mix = choose_mix(wrong, logits, truth, exclusive=True)
    assert mix.network == 0
    assert mix.wide > 0


def test_independent_labels_are_fitted_one_by_one() -> None:
    texts, labels = random_texts(150, seed=8)
    documents = label_texts(texts, labels)
    both = np.stack([documents.targets[:, 1], documents.targets[:, 0]], axis=1)
    both[:10] = 1  # documents with both labels
    several = replace(documents, targets=both)
    weights = fit_wide_part(several, several, VOCABULARY, config=SIZES, exclusive=False)
    assert weights["tokens"].shape == (VOCABULARY.size, 2)
    logits = WidePart(weights, VOCABULARY, head="multilabel").logits(several.documents)
    assert ((logits > 0) == (both == 1))[10:].mean() > 0.9
