import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.scorer import EngineScorer, Scorer
from pipeline.config.sections import OutputConfig
from pipeline.corpora.scoring.predictions import (
    PredictionContext,
    Scored,
    column_prefixes,
    count_predictions,
    score_documents,
    select_scores,
)
from pipeline.schemas import PREDICTIONS, predictions_schema
from tests.pipeline.batches import make_documents
from tests.pipeline.tiny_model import CONFIG, LABELS, LengthEngine, unsaved_bundle


@dataclasses.dataclass(frozen=True)
class FixedEngine:
    """An engine that says what it is told; probabilities are the first weight of each row."""

    attention: list[float]

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = np.array(self.attention, np.float32)
        first = weights[row_offsets[:-1]]
        return np.stack([first, 1 - first], axis=1), weights


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


def test_the_most_attended_tokens_stay_in_the_order_of_the_text() -> None:
    documents = make_documents({"text": "a b c d"}, {"text": "e"}, {"text": "f g"})
    engine = FixedEngine([0.1, 0.4, 0.2, 0.3, 1.0, 0.5, 0.5])
    scorer = EngineScorer(unsaved_bundle(Path("nowhere")), engine)
    context = PredictionContext(run_id="run", output=OutputConfig(attention="top_k", top_k=1))
    [one] = score_documents(scorer, documents, context=context)
    assert one.predictions.column("tokens").to_pylist() == [["b"], ["e"], ["f"]]
    context = PredictionContext(run_id="run", output=OutputConfig(attention="top_k", top_k=3))
    [three] = score_documents(scorer, documents, context=context)
    rows = three.predictions.to_pylist()
    assert [row["tokens"] for row in rows] == [["b", "c", "d"], ["e"], ["f", "g"]]
    assert rows[0]["attention"] == pytest.approx([0.4, 0.2, 0.3])
    assert [rows[0]["token_starts"], rows[0]["token_ends"]] == [[2, 4, 6], [3, 5, 7]]
    assert [row["token_count"] for row in rows] == [4, 1, 2]


def test_attention_of_half_precision() -> None:
    documents = make_documents({"text": "good bad so"})
    half = PredictionContext(run_id="run", output=OutputConfig(attention_type="float16"))
    [scored] = score_documents(scorer_of(), documents, context=half)
    assert scored.predictions.schema.field("attention").type == pa.list_(pa.float16())
    weights = scored.predictions.column("attention").flatten().to_numpy()
    np.testing.assert_allclose(weights, 1 / 3, atol=5e-4)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_a_rejection(broken: float) -> None:
    documents = make_documents({"text": "a b"}, {"text": "c"}, {"text": "d e"})
    engine = FixedEngine([0.5, 0.5, broken, 0.5, 0.5])
    scorer = EngineScorer(unsaved_bundle(Path("nowhere")), engine)
    parts = score_documents(scorer, documents, context=CONTEXT)
    assert ids_of(parts) == ["d0", "d2"]
    assert reasons_of(parts) == {"d1": "scoring_failed"}


def test_a_further_model_adds_columns_of_its_own() -> None:
    # The further model drops markup, so it finds no token in the second text.
    text = dataclasses.replace(CONFIG.text, drop_html=True, max_tokens=1)
    bundle = dataclasses.replace(
        unsaved_bundle(Path("nowhere")),
        config=dataclasses.replace(CONFIG, text=text),
        manifest={"model_version": "de-tox/3"},
    )
    context = PredictionContext(run_id="run", further=[EngineScorer(bundle, LengthEngine())])
    documents = make_documents(
        {"text": "good bad", "lang": "en"}, {"text": "<br>", "lang": "xx"}, keep=("lang",)
    )
    [scored] = score_documents(scorer_of(), documents, context=context)
    [alone] = score_documents(scorer_of(), documents, context=CONTEXT)
    names = scored.predictions.schema.names
    prefixed = [name for name in names if name.startswith("de_tox_v3_")]
    assert names[: -len(prefixed)] == alone.predictions.schema.names
    assert scored.predictions.select(alone.predictions.schema.names) == alone.predictions
    both, first_alone = scored.predictions.to_pylist()
    assert (both["de_tox_v3_tokens"], both["de_tox_v3_truncated_tokens"]) == (["good"], 1)
    assert both["de_tox_v3_model_version"] == "de-tox/3"
    assert {first_alone[name] for name in prefixed} == {None}


def test_columns_of_further_models_are_named_after_them() -> None:
    assert column_prefixes(["demo/1", "de-tox/12", "2nd/1"]) == [
        "demo_v1_",
        "de_tox_v12_",
        "_2nd_v1_",
    ]


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


def test_predictions_below_a_score_are_counted_and_left_out() -> None:
    predictions = pa.record_batch(
        {"label": pa.array(["a", "b", "a"]), "score": pa.array([0.4, 0.5, 0.9], pa.float32())}
    )
    assert select_scores(predictions, 0.5).column("label").to_pylist() == ["b", "a"]
    assert select_scores(predictions, 0) == predictions
    counts = count_predictions(predictions, min_score=0.5)
    assert counts["below_min_score"] == 1
    assert counts["labels"] == {"a": 2, "b": 1}
