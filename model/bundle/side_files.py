"""Checks the files of a model directory that describe the model: metrics, history, examples.

Predictions do not depend on them, but reports and the drift check read them.
"""

import csv
import functools
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from model.bundle.errors import BundleError
from model.bundle.file_names import (
    BASELINE,
    GALLERY,
    HISTORY,
    METRICS,
    PROFILE,
    STATISTICS,
)
from model.bundle.schema_checks import (
    MAX_NUMBER,
    Count,
    Number,
    Text,
    check_schema,
    list_of,
    object_of,
    optional,
    or_null,
    values_of,
)
from model.files.json_values import parse_json
from model.files.regular_files import decode_utf8

MAX_SPLITS = 100


_LabelMetrics = object_of(
    precision=Number,
    recall=Number,
    f1=Number,
    rows=Count,
)


_Bin = object_of(
    lower=Number,
    upper=Number,
    rows=Count,
    confidence=or_null(Number),
    accuracy=or_null(Number),
)


def _filled(bin_: Mapping[str, Any]) -> Mapping[str, Any]:
    if bin_["rows"] and (bin_["confidence"] is None or bin_["accuracy"] is None):
        raise ValueError("expected confidence and accuracy of a bin with rows, got null")
    return bin_


_Calibration = object_of(
    expected_calibration_error=Number,
    bins=list_of(Annotated[_Bin, AfterValidator(_filled)]),
)


_Evaluation = object_of(
    rows=Count,
    accuracy=Number,
    macro_f1=Number,
    loss=Number,
    labels=list_of(Text),
    by_label=values_of(_LabelMetrics),
    confusion=optional(list_of(list_of(Count))),
    calibration=optional(_Calibration),
    micro_f1=optional(Number),
    semeval_f1=optional(Number),
)


def _fit_labels(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = evaluation["labels"]
    if set(evaluation["by_label"]) != set(labels):
        raise ValueError("expected metrics by label of the labels, got those of others")
    confusion = evaluation.get("confusion")
    if confusion is not None and [len(row) for row in confusion] != [len(labels)] * len(labels):
        raise ValueError("expected a confusion matrix with a row and a column for each label")
    return evaluation


_SplitStatistics = object_of(
    documents=Count,
    labels=values_of(Count),
    length_quantiles=values_of(Count, at_most=1_000),
    tokens=Count,
    oov_rate=Number,
    truncated_documents=Count,
    truncated_tokens=Count,
    scripts=optional(values_of(Count, at_most=10_000)),
    without_label=optional(Count),
)


_Duplicates = object_of(
    within=values_of(Count, at_most=MAX_SPLITS),
    across=values_of(Count, at_most=MAX_SPLITS),
)


_Statistics = object_of(
    labels=list_of(Text),
    vocabulary_ids=Count,
    splits=values_of(_SplitStatistics, at_most=MAX_SPLITS),
    duplicates=_Duplicates,
    rows_repaired=optional(Count),
    warnings=list_of(Text),
)


_Example = object_of(
    closed=True,
    document_id=Text,
    text=Text,
    truth=or_null(Text),
    label=Text,
    score=Number,
    token_starts=list_of(Count),
    token_ends=list_of(Count),
    attention=list_of(Number),
    contributions=optional(or_null(list_of(Number))),
    contributions_rest=optional(Number),
    unknown_share=optional(or_null(Number)),
)


def _one_value_a_token(example: Mapping[str, Any]) -> Mapping[str, Any]:
    names = ("token_starts", "token_ends", "attention", "contributions")
    lengths = {len(example[name]) for name in names if example.get(name) is not None}
    if len(lengths) != 1:
        raise ValueError("expected a start, an end and a weight for each token, got other numbers")
    return example


_Documents: Any = Annotated[Count, Field(ge=1)]  # a bin without a document is left out
_EDGE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,10})?")


def _have_edges(counts: dict[str, int]) -> dict[str, int]:
    for edge in counts:
        if not _EDGE.fullmatch(edge):
            raise ValueError(f"expected the lower edge of a bin as a key, got {edge[:40]!r}")
    return counts


_Bins: Any = Annotated[values_of(_Documents), AfterValidator(_have_edges)]


_Profile = object_of(
    documents=Count,
    label=values_of(_Documents),
    score=optional(_Bins),
    length=optional(_Bins),
    oov_rate=optional(_Bins),
    attention_entropy=optional(_Bins),
)


_Evaluations: Any = values_of(
    Annotated[_Evaluation, AfterValidator(_fit_labels)], at_most=MAX_SPLITS
)


@functools.cache
def _schema_of(name: str) -> TypeAdapter[Any]:
    schemas = {
        METRICS: _Evaluations,
        BASELINE: _Evaluations,
        STATISTICS: _Statistics,
        PROFILE: _Profile,
        GALLERY: Annotated[_Example, AfterValidator(_one_value_a_token)],
    }
    return TypeAdapter(schemas[name])


def _check_object(content: bytes, where: str, name: str) -> None:
    check_schema(_schema_of(name), parse_json(content, where=where), where=where)


def _check_gallery(content: bytes, where: str, name: str) -> None:
    for number, line in enumerate(content.splitlines(), 1):
        _check_object(line, f"{where}, line {number}", name)


def _check_history(content: bytes, where: str, name: str) -> None:
    del name
    rows = csv.reader(io.StringIO(decode_utf8(content, where=where)))
    try:
        header = next(rows, [])
        if "epoch" not in header or len(set(header)) != len(header):
            raise BundleError(
                f"{where}, line 1: expected names of columns, each once, and epoch among them, got "
                f"{','.join(header)[:60]!a}. Copy the model directory again."
            )
        for number, row in enumerate(rows, 2):
            problem = _problem_of_row(header, row)
            if problem:
                raise BundleError(
                    f"{where}, line {number}: expected {problem}. Copy the model directory again, "
                    "or train the model again."
                )
    except csv.Error as error:
        raise BundleError(
            f"{where}: expected CSV, got an error: {error}. Copy the model directory again."
        ) from None


def _problem_of_row(header: Sequence[str], row: Sequence[str]) -> str | None:
    if len(row) != len(header):
        return f"{len(header)} values, got {len(row)}"
    for name, value in zip(header, row, strict=True):
        try:
            usual = abs(float(value)) <= MAX_NUMBER  # false for NaN
        except ValueError:
            usual = False
        if not usual:
            return f"a number in {name[:40]!a}, got {value[:40]!a}"
    return None


_CHECKS: Mapping[str, Callable[[bytes, str, str], None]] = {
    METRICS: _check_object,
    BASELINE: _check_object,
    STATISTICS: _check_object,
    PROFILE: _check_object,
    GALLERY: _check_gallery,
    HISTORY: _check_history,
}

SIDE_FILES = tuple(_CHECKS)


def check_side_file(name: str, content: bytes, *, where: str) -> None:
    """Checks a file of `SIDE_FILES`.

    Raises:
        ConfigError: naming `where` and the first key that does not fit.
    """
    _CHECKS[name](content, where, name)
