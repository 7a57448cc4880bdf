"""TF-IDF: counts of terms -> features of documents."""

import numpy as np
from sklearn.feature_extraction.text import TfidfTransformer

from model.training.baseline.term_counts import Counts


def weigh_terms(counts: Counts, *, limit: int) -> Counts:
    """Features float32 `(rows, terms)` by split; every row has the length 1.

    A document that has a term c > 0 times gets (1 + ln c) (1 + ln((1 + n) / (1 + d))), where the
    term is in d of the n training documents. This is scikit-learn's
    `TfidfVectorizer(sublinear_tf=True)`.

    Args:
        counts: by split, `train` among them.
        limit: of the terms of the training documents, this many stay: those that are in the most
            documents.
    """
    documents = np.bincount(counts["train"].indices, minlength=counts["train"].shape[1])
    chosen = np.argsort(-documents, kind="stable")[: min(limit, np.count_nonzero(documents))]
    chosen.sort()
    weights = TfidfTransformer(sublinear_tf=True).fit(counts["train"][:, chosen])
    return {split: weights.transform(each[:, chosen]) for split, each in counts.items()}
