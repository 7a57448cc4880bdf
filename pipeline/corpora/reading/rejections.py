"""Documents -> rejections: rows that a later step than reading cannot use."""

import numpy as np
import pyarrow as pa

from pipeline.schemas import RAW_BYTES, REJECTIONS, RejectionReason


def reject_documents(
    documents: pa.RecordBatch,
    rejected: np.ndarray,
    *,
    reason: RejectionReason,
    detail: str | pa.StringArray,
) -> pa.RecordBatch:
    """The rejections of some documents of a batch.

    Args:
        documents: a documents batch.
        rejected: bool `(rows,)`.
        reason: one of the closed list.
        detail: for a person, one for all rows or one a row of `documents`.

    Returns:
        A rejections batch with a row for each True.
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
