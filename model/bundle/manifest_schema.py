"""What the manifest of a model holds, section by section."""

import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from model.bundle.file_limits import MAX_FILES
from model.bundle.schema_checks import (
    Count,
    Number,
    Text,
    list_of,
    object_of,
    optional,
    or_null,
    values_of,
)

# It becomes a part of messages, of file metadata and of the names of columns.
_Printable: Any = Annotated[
    str, Field(strict=True, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]


def _is_moment(text: str) -> str:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a time as ISO 8601 writes it, got another text") from None
    return text


_Moment: Any = Annotated[str, Field(strict=True, max_length=40), AfterValidator(_is_moment)]
_Sha256: Any = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")]
_Fingerprint: Any = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{16}$")]
_Scores: Any = values_of(values_of(Number, at_most=1_000), at_most=100)  # by split and metric


_Described = object_of(
    bytes=Count,
    sha256=_Sha256,
)


_Trial = object_of(
    closed=True,
    variant=Text,
    seed=Count,
    epochs=Count,
    metrics=_Scores,
)


_Input = object_of(
    closed=True,
    file=Text,
    bytes=Count,
    rows_read=Count,
    rows_used=Count,
    rows_rejected=Count,
    broken=optional(or_null(Text)),
    headers_skipped=optional(Count),
    rows_repaired=optional(Count),
)


_Rows = object_of(
    read=Count,
    used=Count,
    rejected=values_of(Count, at_most=1_000),
    broken_files=optional(dict),
    notes=optional(list_of(Text)),
)


_Mix = object_of(
    closed=True,
    network=Number,
    wide=Number,
    network_loss=Number,
    loss=Number,
)


_Difference = object_of(
    closed=True,
    documents=Count,
    accuracy=Number,
    other_accuracy=Number,
    low=Number,
    high=Number,
)


_Baseline = object_of(
    closed=True,
    skipped=or_null(Text),
    terms=Text,
    strength=Number,
    seconds=Number,
    notes=list_of(Text),
    scores=_Scores,
    differences=values_of(_Difference, at_most=100),
)


_Vectors = object_of(
    file=Text,
    found=Count,
    tokens=Count,
    digest=Text,
)


_Encoder = object_of(
    folder=Text,
    found=Count,
    tokens=Count,
    digest=Text,
)


_Corpus = object_of(
    columns=optional(dict),
    inputs=optional(list_of(dict)),
)


_Config = object_of(
    corpus=optional(_Corpus),
)


# What `train` writes of a run, and a report shows.
_TRAINED: dict[str, Any] = {
    "run_id": _Printable,
    "finished": _Moment,
    "command": Text,
    "code_version": Text,
    "libraries": values_of(Text, at_most=1_000),
    "dataset": Text,
    "variant": Text,
    "seed": Count,
    "best_epoch": or_null(Count),
    "trials": list_of(_Trial),
    "inputs": list_of(_Input),
    "rows": _Rows,
    "config": _Config,
}

MANIFEST_SCHEMA: TypeAdapter[Any] = TypeAdapter(
    object_of(
        schema_version=Annotated[Count, Field(ge=1)],
        model_version=_Printable,
        fingerprint=_Fingerprint,
        vocabulary_ids=Annotated[Count, Field(ge=2)],
        files=values_of(_Described, at_most=MAX_FILES),
        stage=optional(Text),
        status=optional(Text),
        started=optional(Text),
        outputs=optional(list),
        vectors=optional(or_null(_Vectors)),
        encoder=optional(or_null(_Encoder)),
        mix=optional(or_null(_Mix)),
        baseline=optional(or_null(_Baseline)),
        **{key: optional(schema) for key, schema in _TRAINED.items()},
    )
)

# Of a manifest from which a report can be made; models need not have been written by `train`.
TRAINED_SCHEMA: TypeAdapter[Any] = TypeAdapter(object_of(**_TRAINED))
