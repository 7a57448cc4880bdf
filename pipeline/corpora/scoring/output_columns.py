"""The output columns of predictions: names of further models, kept columns, lists of tokens."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from model.wide.contributions import Contributions
from pipeline.config.sections import OutputConfig
from pipeline.schemas import DOCUMENTS, TOKEN_LISTS


def column_prefixes(model_versions: Sequence[str]) -> list[str]:
    """The prefix of each further model's columns: `toxicity_v3_` for the model `toxicity/3`."""
    prefixes = []
    for name, version in (each.rsplit("/", 1) for each in model_versions):
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        prefixes.append(f"{'_' if plain[0].isdigit() else ''}{plain}_v{version}_")
    return prefixes


def kept_fields_in(schema: pa.Schema) -> list[pa.Field]:
    """The fields of a documents batch that are kept input columns."""
    return [field for field in schema if field.name not in DOCUMENTS.names]


def limit_attention(columns: pa.RecordBatch, output: OutputConfig) -> dict[str, pa.Array]:
    """A scorer's columns by name, with the tokens per row that `output.attention` asks for.

    The contributions of tokens that are left out are added to `contributions_rest`.

    Args:
        columns: the batch that a scorer returned, with `token_count` and every token.
        output: `full` keeps all tokens, `top_k` the `top_k` most attended ones in the order of
            the text, `none` keeps none.
    """
    limited = {name: columns.column(name) for name in columns.schema.names}
    if output.attention == "full":
        return limited
    counts = columns.column("token_count").to_numpy()
    limit = output.top_k if output.attention == "top_k" else 0
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.minimum(counts, limit))]), pa.int32())
    kept = _are_among_top(columns.column("attention"), counts, limit)
    for name in TOKEN_LISTS:
        if name in limited:
            values = limited[name].flatten().filter(pa.array(kept))
            limited[name] = pa.ListArray.from_arrays(offsets, values)
    if "contributions" in limited:
        whole = Contributions(
            tokens=columns.column("contributions").flatten().to_numpy(),
            rest=columns.column("contributions_rest").to_numpy(),
        )
        row_offsets = np.concatenate([[0], np.cumsum(counts)])
        limited["contributions_rest"] = pa.array(whole.keep(kept, row_offsets).rest)
    return limited


def _are_among_top(attention: pa.ListArray, counts: np.ndarray, limit: int) -> np.ndarray:
    """Which tokens are among the `limit` most attended ones of their row, bool `(tokens,)`.

    If weights are equal, the tokens that come first in the text are chosen.
    """
    weights = attention.flatten().to_numpy()
    rows = np.repeat(np.arange(len(counts)), counts)
    # Rows keep their order; within a row, tokens are sorted by descending weight.
    order = np.lexsort((-weights, rows))
    rank = np.empty(len(weights), np.int64)
    rank[order] = np.arange(len(weights)) - (np.cumsum(counts) - counts)[rows]
    return rank < limit
