"""Fits the weights of the wide part: regularized logistic regression, a convex problem.

With the targets y, the weights w of the documents and the logits z of `WideMatrices`, it minimizes

    C Σ_i w_i loss(z_i, y_i) + ½ Σ_fk (W_fk / s_fk)²

by L-BFGS. W stands for all weights, of tokens, bigrams and characters; `scales` says what s is. The
loss is the cross-entropy of softmax(z), or of sigmoid(z), summed over the columns, if there is a
single column or labels are independent. The bias is not penalized.

What is searched for is V = W / s, for which the penalty is a plain sum of squares.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy import optimize, sparse

from model.training.wide_fitting.matrices import WideMatrices
from model.training.wide_fitting.scales import scale_features

# The most weights that are fitted. L-BFGS keeps about 20 vectors of so many float64s: 1.3 GB.
MAX_WEIGHTS = 2**23

# A step that lowers the objective by a smaller share ends the search. With 1e-6 the validation
# losses of TREC and tweets were 0.003 and 0.0001 lower, in twice the time.
LEAST_GAIN = 1e-4
MAX_ITERATIONS = 200


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """The weights for one strength of regularization, as `WidePart` takes them, without `mix`."""

    strength: float
    tokens: np.ndarray
    bigrams: np.ndarray
    characters: np.ndarray | None
    bias: np.ndarray

    def logits(self, matrices: WideMatrices) -> np.ndarray:
        """The logits of documents, float32 `(documents, columns)`."""
        weights = matrices.weight_rows @ self.tokens
        if matrices.ngrams is not None:
            weights = weights + matrices.ngrams @ self.characters
        logits: np.ndarray = matrices.kinds @ weights + matrices.bigrams @ self.bigrams + self.bias
        return logits


class LogisticRegression:
    """The problem over one set of documents, solved for one value of C after the other.

    Args:
        matrices: the features of the documents.
        targets: float32 `(documents, columns)`, probabilities of the columns.
        weights: float32 `(documents,)`.
        exclusive: whether the columns, if there are several, exclude each other.
    """

    def __init__(
        self,
        matrices: WideMatrices,
        targets: np.ndarray,
        weights: np.ndarray,
        *,
        exclusive: bool,
    ) -> None:
        self._columns = targets.shape[1]
        self._targets = targets
        self._weights = weights[:, None] * np.float32(len(weights) / weights.sum())
        self._softmax = exclusive and self._columns > 1
        self._sizes = (
            matrices.weight_rows.shape[1],
            matrices.bigrams.shape[1],
            0 if matrices.ngrams is None else matrices.ngrams.shape[1],
        )
        # Only features that occur are fitted: the weights of all others are 0.
        direct = sparse.hstack([matrices.kinds @ matrices.weight_rows, matrices.bigrams]).tocsc()
        by_kind = None if matrices.ngrams is None else matrices.ngrams.tocsc()
        self._used, self._used_ngrams = _choose_features(
            direct, by_kind, matrices.kinds, limit=MAX_WEIGHTS // self._columns
        )
        self._direct = direct[:, self._used].tocsr()
        self._direct_t = self._direct.T.tocsr()
        self._kinds = self._kinds_t = self._ngrams = self._ngrams_t = None
        if by_kind is not None:
            self._kinds, self._kinds_t = matrices.kinds, matrices.kinds.T.tocsr()
            self._ngrams = by_kind[:, self._used_ngrams].tocsr()
            self._ngrams_t = self._ngrams.T.tocsr()
        self._scales = self._find_scales()

    def solve(self, strengths: tuple[float, ...]) -> Iterator[Fit]:
        """Solves the problem for each C; each search starts where the one before ended."""
        count = len(self._used) + len(self._used_ngrams)
        solution = np.zeros((count + 1) * self._columns)  # the last row is the bias
        for strength in strengths:
            found = optimize.minimize(
                self._objective,
                solution,
                args=(np.float32(strength),),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": MAX_ITERATIONS, "ftol": LEAST_GAIN, "gtol": 1e-6 * strength},
            )
            solution = found.x
            yield self._to_fit(solution.reshape(-1, self._columns) * self._scales, strength)

    def _find_scales(self) -> np.ndarray:
        """The scales of the features that are fitted and of the bias, `(features + 1, columns)`."""
        targets, weights = self._targets, self._weights[:, 0]
        scales = [scale_features((self._direct,), targets, weights)]
        if self._ngrams is not None:
            scales.append(scale_features((self._kinds, self._ngrams), targets, weights))
        return np.concatenate([*scales, np.ones((1, self._columns), np.float32)])

    def _objective(self, flat: np.ndarray, strength: np.float32) -> tuple[float, np.ndarray]:
        """The value of the objective and its gradient at `flat`."""
        unscaled = flat.reshape(-1, self._columns).astype(np.float32)
        weights = unscaled * self._scales
        direct, ngrams = weights[: len(self._used)], weights[len(self._used) : -1]
        logits = self._direct @ direct + weights[-1]
        if self._ngrams is not None:
            logits += self._kinds @ (self._ngrams @ ngrams)
        losses, errors = self._losses(logits)
        errors *= strength * self._weights
        gradient = np.empty_like(weights)
        gradient[: len(self._used)] = self._direct_t @ errors
        if self._ngrams_t is not None:
            gradient[len(self._used) : -1] = self._ngrams_t @ (self._kinds_t @ errors)
        gradient[-1] = errors.sum(axis=0)
        gradient *= self._scales
        gradient[:-1] += unscaled[:-1]
        penalty = 0.5 * np.square(flat[: -self._columns]).sum()
        loss = strength * (losses * self._weights[:, 0]).sum(dtype=np.float64)
        return float(loss + penalty), gradient.ravel().astype(np.float64)

    def _losses(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss of each document, and its derivatives by the logits."""
        if not self._softmax:
            losses = np.logaddexp(0, logits) - self._targets * logits
            return losses.sum(axis=1), 0.5 * (1 + np.tanh(0.5 * logits)) - self._targets
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=1, keepdims=True)
        losses = np.log(sums[:, 0]) - (logits * self._targets).sum(axis=1)
        return losses, shares / sums - self._targets

    def _to_fit(self, weights: np.ndarray, strength: float) -> Fit:
        tokens, bigrams, ngrams = self._sizes
        direct = np.zeros((tokens + bigrams, self._columns), np.float32)
        direct[self._used] = weights[: len(self._used)]
        characters = np.zeros((ngrams, self._columns), np.float32)
        characters[self._used_ngrams] = weights[len(self._used) : -1]
        return Fit(
            strength=strength,
            tokens=direct[:tokens],
            bigrams=direct[tokens:],
            characters=characters if ngrams else None,
            bias=weights[-1].astype(np.float32),
        )


def _choose_features(
    direct: sparse.csc_matrix,
    by_kind: sparse.csc_matrix | None,
    kinds: sparse.csr_matrix,
    *,
    limit: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The columns of both matrices that are fitted, at most `limit`: those in most documents."""
    frequencies = np.diff(direct.indptr)
    ngram_frequencies = np.empty(0, np.int64)
    if by_kind is not None:
        in_documents = np.bincount(kinds.indices, minlength=kinds.shape[1])
        present = by_kind.copy()
        present.data[:] = 1
        ngram_frequencies = (present.T @ in_documents).astype(np.int64)
    every = np.concatenate([frequencies, ngram_frequencies])
    least = 1
    if np.count_nonzero(every) > limit:
        least = int(np.partition(every, -limit)[-limit]) + 1
    return np.flatnonzero(frequencies >= least), np.flatnonzero(ngram_frequencies >= least)
