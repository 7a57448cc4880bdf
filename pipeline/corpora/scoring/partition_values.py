"""Rejects the documents whose value of `partition_by` is too long for the name of a folder."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.rejections import reject_documents
from pipeline.storage.partition_names import MAX_NAME_BYTES, partition_folder_bytes

_MAX_ENCODED = 3  # bytes in the name of a folder for one byte of a value


def reject_long_values(
    documents: pa.RecordBatch, column: str | None
) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
    """The documents that have a folder, and the rejections of the others, if there are any.

    Args:
        documents: a batch of documents.
        column: the kept column that the predictions are partitioned by; None, or `label` of the
            predictions, rejects no document.
    """
    if column in (None, "label"):
        return documents, None
    values = documents.column(column)
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    if partition_folder_bytes(column, "") + _MAX_ENCODED * longest <= MAX_NAME_BYTES:
        return documents, None
    sizes = [partition_folder_bytes(column, value) for value in values.to_pylist()]
    too_long = np.asarray(sizes) > MAX_NAME_BYTES
    if not too_long.any():
        return documents, None
    details = [
        f"expected a value of {column!r}, by which scoring.output.partition_by divides the "
        f"predictions, that can name a folder of at most {MAX_NAME_BYTES} bytes, got one of {size}"
        for size in sizes
    ]
    rejections = reject_documents(
        documents, too_long, reason="malformed_row", detail=pa.array(details, pa.string())
    )
    return documents.filter(pa.array(~too_long)), rejections
