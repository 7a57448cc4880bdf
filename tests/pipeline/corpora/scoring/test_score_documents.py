from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.engine_scorer import EngineScorer
from model.scoring.scorer import Scorer
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.schemas import PREDICTIONS
from tests.pipeline.batches import make_documents
from tests.pipeline.corpora.scoring.scored_batches import CONTEXT, ids_of, reasons_of, scorer_of
from tests.pipeline.tiny_model import LengthEngine, unsaved_bundle


def test_running_out_of_memory_halves_the_batch_and_loses_nothing() -> None:
    class SmallScorer(EngineScorer):
        def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
            if len(texts) > 3:
                raise MemoryError
            return super().score(texts)

    scorer = SmallScorer(unsaved_bundle(Path("nowhere")), LengthEngine())
    documents = make_documents(*({"text": "good"} for _ in range(10)))
    parts = score_documents(scorer, documents, context=CONTEXT)
    assert ids_of(parts) == [f"d{i}" for i in range(10)]
    assert max(part.predictions.num_rows for part in parts) <= 3


POISON = "poison"


def poisoned(ids: np.ndarray) -> bool:
    """Whether the ids contain 5, the id of `poison` in the tiny vocabulary."""
    return bool((ids == 5).any())


@given(st.lists(st.sampled_from(["good", "bad good", POISON, " "]), max_size=20))
def test_a_document_that_fails_is_rejected_and_the_others_are_scored(texts: list[str]) -> None:
    documents = make_documents(*({"text": text} for text in texts))
    parts = score_documents(scorer_of(poisoned), documents, context=CONTEXT)
    expected = {"good": None, "bad good": None, POISON: "scoring_failed", " ": "empty_text"}
    assert ids_of(parts) == [f"d{i}" for i, text in enumerate(texts) if expected[text] is None]
    assert reasons_of(parts) == {
        f"d{i}": expected[text] for i, text in enumerate(texts) if expected[text] is not None
    }
    for part in parts:
        assert part.predictions.schema == PREDICTIONS
        kept = part.documents.column("document_id").to_pylist()
        assert kept == part.predictions.column("document_id").to_pylist()


def test_the_rejection_names_the_error() -> None:
    [scored] = score_documents(
        scorer_of(poisoned), make_documents({"text": POISON}), context=CONTEXT
    )
    [rejections] = scored.rejections
    [detail] = rejections.column("detail").to_pylist()
    assert detail == "expected a prediction, got ArithmeticError: not with these tokens"


class BrokenScorer(Scorer):
    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        raise MemoryError("always")


def test_scoring_an_empty_batch_ends_even_if_the_scorer_always_fails() -> None:
    broken = BrokenScorer(unsaved_bundle(Path("nowhere")))
    [scored] = score_documents(broken, make_documents(), context=CONTEXT)
    assert (scored.predictions.num_rows, scored.documents.num_rows) == (0, 0)
