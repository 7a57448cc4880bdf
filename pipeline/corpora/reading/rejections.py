"""Rejections: the rows that are not used, each with its reason.

Most rows are rejected while they are read: `check_rows` checks them and calls `reject_rows`.
Later steps, which know the labels and ids of the whole corpus or score it, call
`reject_documents`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.schemas import RAW_BYTES, REJECTIONS, RejectionReason

# An empty batch takes as long to build as a row to read, and a corpus may have many small files.
_NONE = pa.RecordBatch.from_pylist([], REJECTIONS)


def reject_rows(
    rows: RawRows,
    failures: Mapping[int, Failure],
    *,
    ids: Sequence[str],
    source_file: str,
    first_row: int,
) -> pa.RecordBatch:
    """The rejections of the rows that failed, in order.

    Args:
        rows: the rows.
        failures: why a row failed, by the index of the row.
        ids: the document id of every row.
        source_file: the name of the file.
        first_row: the number in the file of the first of `rows`.

    Returns:
        A batch with the schema `REJECTIONS` and one row for each failure.
    """
    if not failures:
        return _NONE
    rejected = sorted(failures)
    return pa.RecordBatch.from_pydict(
        {
            "document_id": [ids[index] for index in rejected],
            "source_file": [source_file] * len(rejected),
            "source_row": [first_row + index for index in rejected],
            "reason": [failures[index].reason for index in rejected],
            "detail": [failures[index].detail for index in rejected],
            "raw": [rows.raw(index)[:RAW_BYTES] for index in rejected],
        },
        schema=REJECTIONS,
    )


def reject_documents(
    documents: pa.RecordBatch,
    rejected: np.ndarray,
    *,
    reason: RejectionReason,
    detail: str | pa.StringArray,
) -> pa.RecordBatch:
    """The rejections of some documents of a batch.

    Args:
        documents: a batch of documents.
        rejected: bool `(rows,)`.
        reason: the same for all rejected rows.
        detail: a message for a person: one for all rows, or one for each row of `documents`.

    Returns:
        A batch with the schema `REJECTIONS` and one row for each True.
    """
    mask = pa.array(rejected)
    rows = documents.filter(mask)
    if isinstance(detail, str):
        details = pa.array([detail] * rows.num_rows, pa.string())
    else:
        details = detail.filter(mask)
    raw = [text.as_buffer().to_pybytes()[:RAW_BYTES] for text in rows.column("text")]
    return pa.record_batch(
        [
            rows.column("document_id"),
            rows.column("source_file"),
            rows.column("source_row"),
            pa.array([reason] * rows.num_rows, pa.string()),
            details,
            pa.array(raw, pa.binary()),
        ],
        schema=REJECTIONS,
    )


def reject_without_tokens(documents: pa.RecordBatch, rejected: np.ndarray) -> pa.RecordBatch:
    """The rejections of the documents in which the tokenizer finds no token.

    Args:
        documents: a documents batch.
        rejected: bool `(rows,)`.
    """
    return reject_documents(
        documents,
        rejected,
        reason="empty_text",
        detail="expected at least one token, got only white space or markup, which is dropped",
    )
