import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from model.scoring.engine_scorer import EngineScorer
from pipeline.config.sections import OutputConfig
from pipeline.corpora.scoring.predictions import PredictionContext, score_batch
from pipeline.schemas import PREDICTIONS, predictions_schema
from tests.pipeline.batches import make_documents
from tests.pipeline.corpora.scoring.scored_batches import (
    CONTEXT,
    fixed_scorer,
    ids_of,
    reasons_of,
    scorer_of,
)
from tests.pipeline.tiny_model import CONFIG, LABELS, LengthEngine, unsaved_bundle


def test_a_prediction_row_has_every_column_of_the_contract() -> None:
    documents = make_documents({"text": "Good bad é", "lang": "en"}, keep=("lang",))
    scored = score_batch(scorer_of(), documents, context=CONTEXT)
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
    full = score_batch(scorer_of(), documents, context=CONTEXT)
    bare = PredictionContext(run_id="run", output=OutputConfig(attention="none"))
    scored = score_batch(scorer_of(), documents, context=bare)
    dropped = ["tokens", "token_starts", "token_ends", "attention"]
    assert scored.predictions.drop_columns(dropped) == full.predictions.drop_columns(dropped)
    for name in dropped:
        assert scored.predictions.column(name).to_pylist() == [[], []]
    assert scored.predictions.schema == PREDICTIONS


def test_attention_of_half_precision() -> None:
    documents = make_documents({"text": "good bad so"})
    half = PredictionContext(run_id="run", output=OutputConfig(attention_type="float16"))
    scored = score_batch(scorer_of(), documents, context=half)
    assert scored.predictions.schema.field("attention").type == pa.list_(pa.float16())
    weights = scored.predictions.column("attention").flatten().to_numpy()
    np.testing.assert_allclose(weights, 1 / 3, atol=5e-4)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_row_with_nan_or_infinity_is_a_rejection(broken: float) -> None:
    documents = make_documents({"text": "a b"}, {"text": "c"}, {"text": "d e"})
    scorer = fixed_scorer([0.5, 0.5, broken, 0.5, 0.5])
    scored = score_batch(scorer, documents, context=CONTEXT)
    assert ids_of([scored]) == ["d0", "d2"]
    assert reasons_of([scored]) == {"d1": "scoring_failed"}


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
    scored = score_batch(scorer_of(), documents, context=context)
    alone = score_batch(scorer_of(), documents, context=CONTEXT)
    names = scored.predictions.schema.names
    prefixed = [name for name in names if name.startswith("de_tox_v3_")]
    assert names[: -len(prefixed)] == alone.predictions.schema.names
    assert scored.predictions.select(alone.predictions.schema.names) == alone.predictions
    both, first_alone = scored.predictions.to_pylist()
    assert (both["de_tox_v3_tokens"], both["de_tox_v3_truncated_tokens"]) == (["good"], 1)
    assert both["de_tox_v3_model_version"] == "de-tox/3"
    assert {first_alone[name] for name in prefixed} == {None}


def test_a_text_without_tokens_is_a_rejection_and_its_neighbors_are_scored() -> None:
    documents = make_documents({"text": "good"}, {"text": "\u3000"}, {"text": "bad"})
    scored = score_batch(scorer_of(), documents, context=CONTEXT)
    assert ids_of([scored]) == ["d0", "d2"]
    assert reasons_of([scored]) == {"d1": "empty_text"}
    assert scored.documents.column("document_id").to_pylist() == ["d0", "d2"]


def test_a_batch_in_which_no_text_has_tokens_is_all_rejections() -> None:
    scored = score_batch(scorer_of(), make_documents({"text": " "}), context=CONTEXT)
    assert ids_of([scored]) == []
    assert reasons_of([scored]) == {"d0": "empty_text"}
