"""The columns of the wide part's contributions, from every engine."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from model.bundle.bundle import Bundle
from model.config import LongDocuments, WideConfig
from model.scoring.loading import load_scorer
from model.text.cutting import Cut
from model.text.tokenizer import Tokenizer
from model.wide.documents import read_whole_documents
from tests.model.bundles import NETWORK, TEXT, make_bundle, texts_array

WIDE = WideConfig(bigram_bits=8, character_bits=8)
LONG = "the film was bad and then it was good , very good in the end"
TEXTS = ["The film was good.", LONG, "a", "很好 unknown bad bad"]


def make_wide_bundle(folder: Path, *, cut: Cut = "head") -> Bundle:
    return make_bundle(
        folder,
        text=dataclasses.replace(TEXT, cut=cut),
        network=dataclasses.replace(NETWORK, wide=WIDE),
        spread=0.3,
        wide=True,
    )


def check_sums(bundle: Bundle, batch: pa.RecordBatch) -> None:
    """Checks that contributions and rest are the wide part's score of every document."""
    wide = bundle.read_wide_part()
    assert wide is not None
    whole = read_whole_documents(
        Tokenizer(bundle.config.text).tokenize(texts_array(TEXTS)), bundle.vocabulary
    )
    for row, logits in zip(batch.to_pylist(), wide.logits(whole), strict=True):
        assert len(row["contributions"]) == len(row["tokens"]) == len(row["attention"])
        own = logits[row["label_index"]]
        others = (logits.sum() - own) / (len(logits) - 1)
        score = wide.weights["mix"][1] * (own - others)
        assert sum(row["contributions"]) + row["contributions_rest"] == pytest.approx(
            score, abs=1e-5
        )


@pytest.mark.parametrize("engine", ["folded", "keras"])
@pytest.mark.parametrize("cut", ["head", "tail", "head+tail"])
def test_contributions_and_rest_are_the_score(tmp_path: Path, cut: Cut, engine: str) -> None:
    bundle = make_wide_bundle(tmp_path / "1", cut=cut)
    batch, _ = load_scorer(bundle, engine=engine).score(texts_array(TEXTS))
    check_sums(bundle, batch)
    fitting = [row for row in batch.to_pylist() if row["truncated_tokens"] == 0]
    rests = {row["label"]: row["contributions_rest"] for row in fitting}
    assert all(row["contributions_rest"] == rests[row["label"]] for row in fitting)  # the bias


@pytest.mark.parametrize("cut", ["head", "tail", "head+tail"])
def test_a_cut_leaves_the_contributions_of_the_other_tokens(tmp_path: Path, cut: Cut) -> None:
    bundle = make_wide_bundle(tmp_path / "1", cut=cut)
    whole, part = (
        load_scorer(bundle, engine="folded", long_documents=how).score(texts_array([LONG]))[0]
        for how in ("windows", "truncate")
    )
    assert whole["label"] == part["label"]
    starts = whole["token_starts"][0].as_py()
    places = [starts.index(start) for start in part["token_starts"][0].as_py()]
    of_whole = np.array(whole["contributions"][0].as_py())
    assert np.array_equal(of_whole[places], part["contributions"][0].as_py())


@pytest.mark.parametrize("long_documents", ["truncate", "windows"])
def test_in_windows_every_token_is_in_the_list(
    tmp_path: Path, long_documents: LongDocuments
) -> None:
    bundle = make_wide_bundle(tmp_path / "1")
    scorer = load_scorer(bundle, engine="folded", long_documents=long_documents)
    batch, _ = scorer.score(texts_array(TEXTS))
    check_sums(bundle, batch)
    listed = [len(row) for row in batch.column("contributions").to_pylist()]
    assert listed == [5, 6 if long_documents == "truncate" else 15, 1, 5]


def test_texts_without_a_token_do_not_move_the_contributions_of_others(tmp_path: Path) -> None:
    scorer = load_scorer(make_wide_bundle(tmp_path / "1"), engine="folded")
    names = ["contributions", "contributions_rest"]
    alone, _ = scorer.score(texts_array(TEXTS))
    among, scored = scorer.score(texts_array(["", TEXTS[0], " ", *TEXTS[1:], ""]))
    assert scored.sum() == len(TEXTS)
    for name in names:
        assert alone.column(name).equals(among.column(name))


def test_a_model_without_a_wide_part_has_no_such_columns(tmp_path: Path) -> None:
    batch, _ = load_scorer(make_bundle(tmp_path / "1"), engine="folded").score(texts_array(TEXTS))
    assert not [name for name in batch.schema.names if name.startswith("contributions")]
