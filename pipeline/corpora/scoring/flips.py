"""Documents on which two models disagree, and how often they do which."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.counts import count_values, sort_by_count
from pipeline.schemas import DOCUMENTS, PREDICTIONS

SHOWN = ("label", "score", "tokens", "token_starts", "token_ends", "attention")
SEPARATOR = "\n"  # between two labels in a count's key; a label is a line of a file

FLIPS = pa.schema(
    [
        DOCUMENTS.field("document_id"),
        DOCUMENTS.field("text"),
        DOCUMENTS.field("label").with_name("truth"),
        *(
            PREDICTIONS.field(name).with_name(f"{model}_{name}").with_nullable(True)
            for model in ("old", "new")
            for name in SHOWN
        ),
    ]
)


def rename_model(
    predictions: pa.RecordBatch, prefix: str, columns: Sequence[str]
) -> pa.RecordBatch:
    """The columns of a further model under the names that the first model's have."""
    return pa.record_batch({name: predictions.column(prefix + name) for name in columns})


def find_flips(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, *, prefix: str
) -> pa.RecordBatch:
    """The documents whose label differs, with what both models said.

    A document in which the new model finds no token has none of its answers; it counts as flipped.
    """
    old = predictions.column("label")
    new = predictions.column(f"{prefix}label")
    flipped = pc.fill_null(pc.not_equal(old, new), True)
    chosen, found = documents.filter(flipped), predictions.filter(flipped)
    columns = [chosen.column("document_id"), chosen.column("text"), chosen.column("label")]
    for before in ("", prefix):
        columns += [found.column(before + name) for name in SHOWN]
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, FLIPS, strict=True)],
        schema=FLIPS,
    )


def count_flips(documents: int, flips: pa.RecordBatch) -> dict[str, Any]:
    """Nested counts: documents compared, and flips by both labels."""
    pairs = pc.binary_join_element_wise(
        flips.column("old_label"), pc.fill_null(flips.column("new_label"), ""), SEPARATOR
    )
    return {"compared": documents, "flips": count_values(pairs)}


def churn_table(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """From what to what, the most frequent first."""
    ordered = sort_by_count(counts)
    return [
        dict(zip(("old", "new"), pair.split(SEPARATOR), strict=True), documents=documents)
        for pair, documents in ordered
    ]
