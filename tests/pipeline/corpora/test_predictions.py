from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scoring import EngineScorer, Scorer
from pipeline.config import OutputConfig
from pipeline.corpora.predictions import (
    PredictionContext,
    Scored,
    count_predictions,
    score_documents,
)
from pipeline.schemas import PREDICTIONS, predictions_schema
from tests.pipeline.batches import make_documents
from tests.pipeline.tiny_model import LABELS, LengthEngine, unsaved_bundle

CONTEXT = PredictionContext(run_id="run")


def scorer_of(fails_on: Callable[[np.ndarray], bool] | None = None) -> Scorer:
    return EngineScorer(unsaved_bundle(Path("nowhere")), LengthEngine(fails_on=fails_on))


def ids_of(parts: list[Scored]) -> list[str]:
    return [i for part in parts for i in part.predictions.column("document_id").to_pylist()]


def reasons_of(parts: list[Scored]) -> dict[str, str]:
    return {
        row["document_id"]: row["reason"]
        for part in parts
        for rejections in part.rejections
        for row in rejections.to_pylist()
    }


def test_a_prediction_row_says_all_that_the_contract_demands() -> None:
    documents = make_documents({"text": "Good bad é", "lang": "en"}, keep=("lang",))
    [scored] = score_documents(scorer_of(), documents, context=CONTEXT)
    assert scored.predictions.schema == predictions_schema([pa.field("lang", pa.string())])
    [row] = scored.predictions.to_pylist()
    assert row["document_id"] == "d0"
    assert row["label"] == LABELS[row["label_index"]]
    assert row["score"] == pytest.approx(max(row["probabilities"]))
    assert row["tokens"] == ["Good", "bad", "é"]
    assert [row["token_starts"], row["token_ends"]] == [[0, 5, 9], [4, 8, 10]]
    assert sum(row["attention"]) == pytest.approx(1)
    assert (row["token_count"], row["truncated_tokens"], row["oov_tokens"]) == (3, 0, 1)
    assert (row["model_version"], row["run_id"], row["lang"]) == ("tiny/1", "run", "en")
    assert scored.documents == documents
    assert list(scored.rejections) == []


def test_without_attention_the_lists_are_empty_and_the_rest_is_equal() -> None:
    documents = make_documents({"text": "good"}, {"text": "bad bad"})
    [full] = score_documents(scorer_of(), documents, context=CONTEXT)
    bare = PredictionContext(run_id="run", output=OutputConfig(attention="none"))
    [scored] = score_documents(scorer_of(), documents, context=bare)
    dropped = ["tokens", "token_starts", "token_ends", "attention"]
    assert scored.predictions.drop_columns(dropped) == full.predictions.drop_columns(dropped)
    for name in dropped:
        assert scored.predictions.column(name).to_pylist() == [[], []]
    assert scored.predictions.schema == PREDICTIONS


def test_a_text_without_tokens_is_a_rejection_and_its_neighbors_are_scored() -> None:
    documents = make_documents({"text": "good"}, {"text": "\u3000"}, {"text": "bad"})
    parts = score_documents(scorer_of(), documents, context=CONTEXT)
    assert ids_of(parts) == ["d0", "d2"]
    assert reasons_of(parts) == {"d1": "empty_text"}
    assert parts[0].documents.column("document_id").to_pylist() == ["d0", "d2"]


def test_a_batch_in_which_no_text_has_tokens_is_all_rejections() -> None:
    parts = score_documents(scorer_of(), make_documents({"text": " "}), context=CONTEXT)
    assert ids_of(parts) == []
    assert reasons_of(parts) == {"d0": "empty_text"}


POISON = "poison"


def poisoned(ids: np.ndarray) -> bool:
    """Whether the token after the known ones is among them: the fourth of the vocabulary."""
    return bool((ids == 5).any())


@given(st.lists(st.sampled_from(["good", "bad good", POISON, " "]), max_size=20))
def test_a_bad_document_costs_itself_alone(texts: list[str]) -> None:
    documents = make_documents(*({"text": text} for text in texts))
    parts = score_documents(scorer_of(poisoned), documents, context=CONTEXT)
    fate = {"good": None, "bad good": None, POISON: "scoring_failed", " ": "empty_text"}
    assert ids_of(parts) == [f"d{i}" for i, text in enumerate(texts) if fate[text] is None]
    assert reasons_of(parts) == {
        f"d{i}": fate[text] for i, text in enumerate(texts) if fate[text] is not None
    }
    for part in parts:
        assert part.predictions.schema == PREDICTIONS
        kept = part.documents.column("document_id").to_pylist()
        assert kept == part.predictions.column("document_id").to_pylist()


def test_the_failure_is_told() -> None:
    [scored] = score_documents(
        scorer_of(poisoned), make_documents({"text": POISON}), context=CONTEXT
    )
    [rejections] = scored.rejections
    [detail] = rejections.column("detail").to_pylist()
    assert detail == "expected a prediction, got ArithmeticError: not with these tokens"


class BrokenScorer(Scorer):
    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        raise MemoryError("always")


def test_a_scorer_that_always_fails_ends_even_on_an_empty_batch() -> None:
    broken = BrokenScorer(unsaved_bundle(Path("nowhere")))
    [scored] = score_documents(broken, make_documents(), context=CONTEXT)
    assert (scored.predictions.num_rows, scored.documents.num_rows) == (0, 0)


def test_predictions_are_counted_by_label_and_score() -> None:
    scores = [0.0, 0.049, 0.05, 0.52, 0.54, 0.999, 1.0]
    predictions = pa.record_batch(
        {
            "label": pa.array(["a", "b", "a", "a", "b", "b", "b"]),
            "score": pa.array(scores, pa.float32()),
        }
    )
    assert count_predictions(predictions) == {
        "labels": {"a": 3, "b": 4},
        "scores": {"0.00": 2, "0.05": 1, "0.50": 2, "0.95": 2},
    }
