import numpy as np
import pyarrow as pa

from pipeline.corpora.reading.rejections import reject_documents
from pipeline.schemas import RAW_BYTES, REJECTIONS
from tests.pipeline.batches import make_documents

DOCUMENTS = make_documents(
    {"text": "first", "source_row": 7},
    {"text": "é" * RAW_BYTES, "source_row": 8},
    {"text": "third", "source_row": 9},
)


def test_rejections_name_the_row_and_carry_its_beginning() -> None:
    rejections = reject_documents(
        DOCUMENTS, np.array([False, True, True]), reason="scoring_failed", detail="why"
    )
    assert rejections.schema == REJECTIONS
    assert rejections.to_pylist() == [
        {
            "document_id": document_id,
            "source_file": "file",
            "source_row": row,
            "reason": "scoring_failed",
            "detail": "why",
            "raw": raw,
        }
        for document_id, row, raw in (
            ("d1", 8, ("é" * RAW_BYTES).encode()[:RAW_BYTES]),
            ("d2", 9, b"third"),
        )
    ]


def test_each_rejection_may_have_its_own_detail() -> None:
    details = pa.array(["of 0", "of 1", "of 2"])
    rejections = reject_documents(
        DOCUMENTS, np.array([True, False, True]), reason="unknown_label", detail=details
    )
    assert rejections.column("detail").to_pylist() == ["of 0", "of 2"]


def test_a_slice_of_a_batch_rejects_its_own_rows() -> None:
    rejections = reject_documents(
        DOCUMENTS.slice(2), np.array([True]), reason="unknown_label", detail="why"
    )
    assert rejections.column("raw").to_pylist() == [b"third"]


def test_nothing_rejected_is_an_empty_batch() -> None:
    rejections = reject_documents(
        DOCUMENTS, np.zeros(3, dtype=bool), reason="unknown_label", detail="why"
    )
    assert rejections.schema == REJECTIONS
    assert rejections.num_rows == 0
