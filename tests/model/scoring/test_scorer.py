"""Predictions keep their contract with every engine, batch and neighbor."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import ResolvedTextConfig
from model.layers.keras_engine import KerasEngine
from model.scoring.engine_scorer import EngineScorer
from model.scoring.loading import load_scorer
from model.scoring.scorer import Scorer
from tests.model.bundles import LABELS, make_bundle, texts_array

TEXTS = [
    "The film was good.",
    "bad",
    "the the the the the the the the bad",  # longer than max_tokens
    "很好 unknown 👍🏽 مرحبا",
    "It was Bad. It was GOOD.",
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundle") / "1")


@pytest.fixture(scope="module", params=["keras", "folded"])
def scorer(request, bundle) -> Scorer:
    return load_scorer(bundle, engine=request.param)


def check_contract(texts: list[str], batch: pa.RecordBatch) -> None:
    """Checks what every row of predictions must satisfy."""
    for text, row in zip(texts, batch.to_pylist(), strict=True):
        lengths = {len(row[name]) for name in ("tokens", "token_starts", "token_ends", "attention")}
        assert lengths == {row["token_count"]}
        spans = zip(row["token_starts"], row["token_ends"], strict=True)
        assert [text[start:end] for start, end in spans] == row["tokens"]
        assert min(row["attention"]) >= 0
        assert sum(row["attention"]) == pytest.approx(1, abs=1e-5)
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert row["score"] == max(row["probabilities"])
        assert row["label"] == LABELS[row["label_index"]]
        assert row["label_index"] == int(np.argmax(row["probabilities"]))
        assert row["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_every_row_keeps_the_contract(scorer):
    batch, scored = scorer.score(texts_array(TEXTS))
    assert scored.all()
    check_contract(TEXTS, batch)


def test_tokens_that_were_cut_or_are_unknown_are_counted(scorer):
    batch, _ = scorer.score(texts_array(TEXTS))
    assert batch.column("token_count").to_pylist() == [5, 1, 6, 5, 6]
    assert batch.column("truncated_tokens").to_pylist() == [0, 0, 3, 0, 2]
    assert batch.column("oov_tokens").to_pylist() == [0, 0, 0, 3, 2]


def test_texts_without_a_token_are_not_scored(scorer):
    batch, scored = scorer.score(texts_array(["", "good", " \n\u3000", "bad"]))
    assert scored.tolist() == [False, True, False, True]
    check_contract(["good", "bad"], batch)


@pytest.mark.parametrize("texts", [[], [""]])
def test_nothing_to_score(scorer, texts):
    batch, scored = scorer.score(texts_array(texts))
    assert batch.num_rows == scored.sum() == 0


def test_engines_agree(bundle):
    keras, folded = (
        load_scorer(bundle, engine=engine).score(texts_array(TEXTS))[0]
        for engine in ("keras", "folded")
    )
    for name in ("probabilities", "attention"):
        np.testing.assert_allclose(
            keras.column(name).flatten(), folded.column(name).flatten(), atol=1e-5
        )


def test_a_row_does_not_depend_on_its_neighbors(scorer):
    together, _ = scorer.score(texts_array(TEXTS))
    for row, text in enumerate(TEXTS):
        alone, _ = scorer.score(texts_array([text]))
        for name in ("probabilities", "attention"):
            np.testing.assert_allclose(
                together.column(name)[row].values, alone.column(name)[0].values, atol=1e-6
            )


@settings(max_examples=30)
@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_any_text_keeps_the_contract(scorer, texts):
    batch, scored = scorer.score(texts_array(texts))
    kept = [text for text, use in zip(texts, scored, strict=True) if use]
    check_contract(kept, batch)


@pytest.mark.parametrize(("cut", "kept"), [("tail", ["the", "bad"]), ("head+tail", ["the", "bad"])])
def test_text_cut_decides_which_tokens_stay(tmp_path, cut, kept):
    text = ResolvedTextConfig(max_tokens=2, vocabulary_size=8, cut=cut)
    bundle = make_bundle(tmp_path / "1", text=text)
    batch, _ = EngineScorer(bundle, KerasEngine(bundle.build_network())).score(
        texts_array(["the film was the bad"])
    )
    assert batch.column("tokens")[0].as_py() == kept
    check_contract(["the film was the bad"], batch)


@pytest.mark.parametrize("engine", ["keras", "folded"])
def test_long_golden_documents_pass_where_windows_are_read(tmp_path, engine):
    """Training cut the golden documents, so the self-test cuts them; scoring then does not."""
    long = "the good film was bad and " * 5
    bundle = make_bundle(tmp_path / "1", spread=0.7, texts=(*TEXTS, long))
    cut, whole = (
        load_scorer(bundle, engine=engine, long_documents=reading).score(pa.array([long]))[0]
        for reading in ("truncate", "windows")
    )
    assert cut.column("token_count").to_pylist() == [bundle.config.text.max_tokens]
    assert whole.column("token_count").to_pylist() == [30]
    assert not np.allclose(cut["probabilities"][0].values, whole["probabilities"][0].values)
    assert sum(whole.column("attention").to_pylist()[0]) == pytest.approx(1, abs=1e-5)
