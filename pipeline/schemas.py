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
        # The next three are null where the document is not answered (`scoring.max_unknown`).
        pa.field("label", pa.string()),
        pa.field("label_index", pa.int32()),
        pa.field("score", pa.float32()),
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

# A model with a wide part also writes what its tokens contribute; `model.wide.contributions` says
# to what. These columns come after `attention`.
CONTRIBUTIONS = pa.schema(
    [
        pa.field("contributions", pa.list_(pa.float32()), nullable=False),
        # Of the bias and of the tokens that the list lacks.
        pa.field("contributions_rest", pa.float32(), nullable=False),
    ]
)

# The columns with one value for each token.
TOKEN_LISTS = ("tokens", "token_starts", "token_ends", "attention", "contributions")

# The columns that hold what one model predicted; each further model adds a set of them.
_NOT_OF_A_MODEL = ("document_id", "text_sha256", "run_id")


def documents_schema(kept: Sequence[pa.Field] = ()) -> pa.Schema:
    """The documents schema with the kept input columns after the fixed ones."""
    return pa.schema([*DOCUMENTS, *kept])


def model_columns(*, wide: bool) -> list[str]:
    """The names of the columns of one model.

    Args:
        wide: whether the model has a wide part.
    """
    return [field.name for field in _fixed_fields(wide) if field.name not in _NOT_OF_A_MODEL]


def predictions_schema(
    kept: Sequence[pa.Field] = (),
    metadata: Mapping[str, str] | None = None,
    *,
    wide: bool = False,
    further: Sequence[tuple[str, bool]] = (),
    attention_type: Literal["float32", "float16"] = "float32",
) -> pa.Schema:
    """The schema of predictions.

    Args:
        kept: the kept input columns, which follow the fixed ones.
        metadata: describes the model; stored in the schema.
        wide: whether the model has a wide part.
        further: for each further model the prefix of its columns, and whether it has a wide part.
            These columns come last. They are null for a text in which that model finds no token.
        attention_type: the type of one attention weight and of one contribution.
    """
    number = pa.float16() if attention_type == "float16" else pa.float32()
    weights = dict.fromkeys(("attention", "contributions"), pa.list_(number))
    fixed = [
        field.with_type(weights.get(field.name, field.type)) for field in _fixed_fields(wide=True)
    ]
    by_name = {field.name: field for field in fixed}
    of_further = [
        pa.field(prefix + name, by_name[name].type)
        for prefix, has_wide_part in further
        for name in model_columns(wide=has_wide_part)
    ]
    own = [by_name[field.name] for field in _fixed_fields(wide)]
    return pa.schema([*own, *kept, *of_further], metadata=dict(metadata) if metadata else None)


def _fixed_fields(wide: bool) -> list[pa.Field]:
    """The fields of predictions in their order, with those of a wide part or without."""
    after = PREDICTIONS.get_field_index("attention") + 1
    fields = list(PREDICTIONS)
    return [*fields[:after], *(CONTRIBUTIONS if wide else ()), *fields[after:]]
