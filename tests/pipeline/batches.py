"""Record batches of documents, from the few fields that a test cares about."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.schemas import documents_schema


def make_documents(*rows: Mapping[str, Any], keep: tuple[str, ...] = ()) -> pa.RecordBatch:
    """A documents batch; what a row does not say is its position, or null."""
    filled = [
        {
            "document_id": f"d{index}",
            "text": "a text",
            "source_file": "file",
            "source_row": index,
            **row,
        }
        for index, row in enumerate(rows)
    ]
    schema = documents_schema([pa.field(name, pa.string()) for name in keep])
    return pa.RecordBatch.from_pylist(filled, schema)
