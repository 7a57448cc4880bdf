"""The Arrow schemas of documents, rejections and predictions: the data contract.

The record batches that pass between steps and the Parquet files that a run publishes have these
schemas. The kept input columns come after the fixed columns.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import pyarrow as pa

RejectionReason = Literal[
    "malformed_row",
    "not_utf8",
    "missing_column",
    "empty_text",
    "unknown_label",
    "duplicate_id",
    "text_too_large",
    "scoring_failed",
]
REJECTION_REASONS: tuple[str, ...] = get_args(RejectionReason)

# A rejection holds at most this many bytes of its row.
RAW_BYTES = 1_000

SPANS = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))

# The probabilities that a teacher gives to labels. The names of the labels are null where the
# numbers are in the order of the dataset's labels.
SOFT_LABELS = pa.list_(pa.struct([("label", pa.string()), ("probability", pa.float32())]))

DOCUMENTS = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("soft_labels", SOFT_LABELS),
        pa.field("weight", pa.float32()),
        pa.field("rationale", SPANS),  # character spans that annotators marked
        pa.field("split", pa.string()),
        pa.field("group", pa.string()),  # documents of one group get the same split
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
    ]
)

# Prepare adds the hash of a document's normalized text as the last column.
DIGEST_BYTES = 16
DIGEST = pa.field("digest", pa.binary(DIGEST_BYTES), nullable=False)

REJECTIONS = pa.schema(
    [
        pa.field("document_id", pa.string()),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("raw", pa.binary()),
    ]
)

PREDICTIONS = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("label_index", pa.int32(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
        pa.field("tokens", pa.list_(pa.string()), nullable=False),
        pa.field("token_starts", pa.list_(pa.int32()), nullable=False),
        pa.field("token_ends", pa.list_(pa.int32()), nullable=False),
        pa.field("attention", pa.list_(pa.float32()), nullable=False),
        pa.field("token_count", pa.int32(), nullable=False),
        pa.field("truncated_tokens", pa.int32(), nullable=False),
        pa.field("oov_tokens", pa.int32(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
    ]
)

# The columns that hold what one model predicted; each further model adds a set of them.
MODEL_COLUMNS = tuple(
    name for name in PREDICTIONS.names if name not in ("document_id", "text_sha256", "run_id")
)


def documents_schema(kept: Sequence[pa.Field] = ()) -> pa.Schema:
    """The documents schema with the kept input columns after the fixed ones."""
    return pa.schema([*DOCUMENTS, *kept])


def predictions_schema(
    kept: Sequence[pa.Field] = (),
    metadata: Mapping[str, str] | None = None,
    *,
    attention_type: Literal["float32", "float16"] = "float32",
    prefixes: Sequence[str] = (),
) -> pa.Schema:
    """The schema of predictions.

    Args:
        kept: the kept input columns, which follow the fixed ones.
        metadata: describes the model; stored in the schema.
        attention_type: the type of one attention weight.
        prefixes: one for each further model; the names of its columns begin with it. These columns
            come last. They are null for a text in which that model finds no token.
    """
    weights = pa.list_(pa.float16() if attention_type == "float16" else pa.float32())
    index = PREDICTIONS.get_field_index("attention")
    fixed = PREDICTIONS.set(index, PREDICTIONS.field(index).with_type(weights))
    further = [
        pa.field(prefix + name, fixed.field(name).type)
        for prefix in prefixes
        for name in MODEL_COLUMNS
    ]
    return pa.schema([*fixed, *kept, *further], metadata=dict(metadata) if metadata else None)
