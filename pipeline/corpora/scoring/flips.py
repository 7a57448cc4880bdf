"""Flips: finds and counts the documents to which two models give different labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.counts import count_values, sort_by_count
from pipeline.schemas import DOCUMENTS, PREDICTIONS

# The columns of each of the two models in a row of `FLIPS`.
COMPARED_COLUMNS = ("label", "score", "tokens", "token_starts", "token_ends", "attention")
# Separates the two labels in the key of a count. labels.txt has one label per line, so no label
# contains it.
PAIR_SEPARATOR = "\n"

FLIPS = pa.schema(
    [
        DOCUMENTS.field("document_id"),
        DOCUMENTS.field("text"),
        DOCUMENTS.field("label").with_name("truth"),
        *(
            PREDICTIONS.field(name).with_name(f"{model}_{name}").with_nullable(True)
            for model in ("old", "new")
            for name in COMPARED_COLUMNS
        ),
    ]
)


def select_model_columns(
    predictions: pa.RecordBatch, prefix: str, columns: Sequence[str]
) -> pa.RecordBatch:
    """The given columns of the model with this prefix, which is cut from their names."""
    return pa.record_batch({name: predictions.column(prefix + name) for name in columns})


def find_flips(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, *, prefix: str
) -> pa.RecordBatch:
    """The documents to which the two models give different labels, with both predictions.

    If the new model finds no token in a document, its columns are null; that counts as a flip.
    """
    old = predictions.column("label")
    new = predictions.column(f"{prefix}label")
    flipped = pc.fill_null(pc.not_equal(old, new), True)
    chosen, found = documents.filter(flipped), predictions.filter(flipped)
    columns = [chosen.column("document_id"), chosen.column("text"), chosen.column("label")]
    for before in ("", prefix):
        columns += [found.column(before + name) for name in COMPARED_COLUMNS]
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, FLIPS, strict=True)],
        schema=FLIPS,
    )


def count_flips(documents: int, flips: pa.RecordBatch) -> dict[str, Any]:
    """Nested counts: the documents compared, and the flips by old and new label."""
    pairs = pc.binary_join_element_wise(
        flips.column("old_label"), pc.fill_null(flips.column("new_label"), ""), PAIR_SEPARATOR
    )
    return {"compared": documents, "flips": count_values(pairs)}


def list_flip_counts(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """`old` label, `new` label and `documents` of each kind of flip, the most frequent first."""
    return [
        dict(zip(("old", "new"), pair.split(PAIR_SEPARATOR), strict=True), documents=documents)
        for pair, documents in sort_by_count(counts)
    ]
