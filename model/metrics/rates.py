"""Precision, recall and F1 from counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Rates(NamedTuple):
    """Precision, recall and F1 of each class, each float64 `(classes,)`."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def divide(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    """`part / whole`, float64; 0 where `whole` is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def rates_of_counts(hits: np.ndarray, predicted: np.ndarray, true: np.ndarray) -> Rates:
    """The rates of each class; a rate whose denominator is 0 is 0.

    With TP the hits: P = TP / predicted, R = TP / true, and
    F1 = 2 P R / (P + R) = 2 TP / (predicted + true).

    Args:
        hits: int `(classes,)`, documents of a class that were predicted as it.
        predicted: int `(classes,)`, documents that were predicted as a class.
        true: int `(classes,)`, documents that belong to a class.

    Reference: van Rijsbergen, Information Retrieval, 1979, chapter 7, with alpha = 1/2.
    """
    return Rates(divide(hits, predicted), divide(hits, true), divide(2 * hits, predicted + true))


def mean_f1(rates: Rates, occurs: np.ndarray) -> float:
    """The mean F1 of the classes where `occurs`, bool `(classes,)`, is True; 0 if none is."""
    return float(rates.f1[occurs].mean()) if occurs.any() else 0.0
