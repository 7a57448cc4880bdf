"""Documents that are not answered, because too many of their tokens are unknown to the model.

A model that reads a language it was not trained on answers with a high probability all the same.
With `scoring.max_unknown` such a document keeps its row, but not its answer.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The columns that are null where a document is not answered. `probabilities`, attention and
# contributions stay: they show what the model would have said.
ANSWER = ("label", "label_index", "score")


def abstain(columns: Mapping[str, pa.Array], max_unknown: float | None) -> dict[str, pa.Array]:
    """Takes the answer from the rows with a larger share of unknown tokens.

    Args:
        columns: of predictions, by name; `oov_tokens` and `token_count` among them.
        max_unknown: the largest share that is answered; None: every document is.
    """
    if max_unknown is None:
        return dict(columns)
    counts = (columns[name].to_numpy() for name in ("oov_tokens", "token_count"))
    answered = pa.array(unknown_share(*counts) <= max_unknown)
    return {**columns, **{name: pc.if_else(answered, columns[name], None) for name in ANSWER}}


def unknown_share(oov_tokens: np.ndarray, token_count: np.ndarray) -> np.ndarray:
    """The share of each document's tokens that the vocabulary lacks, float64 `(rows,)`."""
    return oov_tokens / token_count


def count_abstained(predictions: pa.RecordBatch) -> int:
    """How many rows of predictions have no answer."""
    return int(predictions.column("label").null_count)
