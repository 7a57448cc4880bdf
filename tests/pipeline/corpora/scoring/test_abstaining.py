"""Which documents are not answered, and what their rows keep."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.scoring.abstaining import ANSWER, abstain, count_abstained
from pipeline.corpora.scoring.corpus_profile import profile_predictions
from pipeline.corpora.scoring.gallery import select_extremes
from pipeline.corpora.scoring.prediction_counts import count_predictions, filter_by_score
from pipeline.corpora.scoring.predictions import PredictionContext, score_batch
from tests.pipeline.batches import make_documents
from tests.pipeline.corpora.scoring.scored_batches import CONTEXT, scorer_of

counted = st.lists(
    st.integers(1, 100).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=20
)


@given(counted, st.integers(0, 100).map(lambda percent: percent / 100))
def test_a_document_is_answered_up_to_the_limit(
    counts: list[tuple[int, int]], limit: float
) -> None:
    rows = len(counts)
    columns = {
        "label": pa.array(["x"] * rows, pa.string()),
        "label_index": pa.array([1] * rows, pa.int32()),
        "score": pa.array([0.75] * rows, pa.float32()),
        "probabilities": pa.array([[0.25, 0.75]] * rows, pa.list_(pa.float32())),
        "oov_tokens": pa.array([unknown for unknown, _ in counts], pa.int32()),
        "token_count": pa.array([tokens for _, tokens in counts], pa.int32()),
    }
    found = abstain(columns, limit)
    answered = [unknown / tokens <= limit for unknown, tokens in counts]
    for name in ANSWER:
        assert found[name].type == columns[name].type
        assert found[name].is_valid().to_pylist() == answered
        assert found[name].drop_null().equals(columns[name].filter(pa.array(answered, pa.bool_())))
    assert found["probabilities"].equals(columns["probabilities"])
    assert abstain(columns, None) == columns
    assert abstain(columns, 1.0) == columns


# The shares of unknown tokens are 0, 1/2 and 1.
DOCUMENTS = make_documents({"text": "good bad"}, {"text": "so what"}, {"text": "很"})


def predictions(limit: float | None) -> pa.RecordBatch:
    context = PredictionContext(run_id="run", max_unknown=limit)
    return score_batch(scorer_of(), DOCUMENTS, context=context).predictions


@pytest.mark.parametrize(
    ("limit", "abstained"), [(None, 0), (1.0, 0), (0.5, 1), (0.25, 2), (0.0, 2)]
)
def test_a_row_without_an_answer_keeps_the_other_columns(
    limit: float | None, abstained: int
) -> None:
    found = predictions(limit)
    every = score_batch(scorer_of(), DOCUMENTS, context=CONTEXT).predictions
    assert count_abstained(found) == abstained
    assert found.schema == every.schema
    assert found.drop_columns(list(ANSWER)).equals(every.drop_columns(list(ANSWER)))
    for row in found.to_pylist()[len(found) - abstained :]:
        assert [row[name] for name in ANSWER] == [None, None, None]


def test_each_model_abstains_by_its_own_vocabulary() -> None:
    context = PredictionContext(run_id="run", max_unknown=0.5, further=[scorer_of()])
    found = score_batch(scorer_of(), DOCUMENTS, context=context).predictions
    for name in ANSWER:
        assert found.column(f"tiny_v1_{name}").to_pylist() == found.column(name).to_pylist()


def test_counts_are_of_the_answered_documents() -> None:
    counts = count_predictions(predictions(0.5), min_score=0.0)
    assert sum(counts["labels"].values()) == sum(counts["scores"].values()) == 2


def test_rows_without_a_score_are_not_below_the_least_score() -> None:
    found = predictions(0.5)
    kept = filter_by_score(found, 1.0)
    assert kept.column("label").to_pylist() == [None]
    assert count_predictions(found, min_score=1.0)["below_min_score"] == 2


def test_the_profile_has_their_lengths_and_unknown_tokens() -> None:
    profile = profile_predictions(predictions(0.5))
    assert profile["documents"] == 3
    assert sum(profile["label"].values()) == sum(profile["score"].values()) == 2
    assert profile["oov_rate"] == {"0": 1, "0.5": 1, "0.99": 1}
    assert sum(profile["length"].values()) == sum(profile["attention_entropy"].values()) == 3


@pytest.mark.parametrize(("limit", "shown"), [(None, 3), (0.5, 2), (0.0, 1)])
def test_no_page_shows_them_as_examples(limit: float | None, shown: int) -> None:
    examples = select_extremes(DOCUMENTS, predictions(limit))
    assert [example.document_id for example in examples if example.label is None] == []
    assert len(examples) == shown


def test_a_batch_without_any_answer() -> None:
    batch = DOCUMENTS.slice(2)
    context = PredictionContext(run_id="run", max_unknown=0.0)
    found = score_batch(scorer_of(), batch, context=context).predictions
    assert count_predictions(found) == {"labels": {}, "scores": {}}
    assert select_extremes(batch, found) == []
    assert profile_predictions(found)["score"] == {}
    assert np.isfinite(found.column("probabilities").flatten().to_numpy()).all()
