"""A teacher predicts a dataset's examples as its scorer predicts their texts."""

from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from model.bundle.bundle import Bundle
from model.config import ConfigError, NetworkConfig, ResolvedTextConfig, WideConfig
from model.folded.engine import FoldedEngine
from model.scoring.engine_scorer import EngineScorer
from model.text.cutting import Cut, mark_kept
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples, UnknownTokens
from model.training.teaching.teacher import Teacher, order_of_labels
from model.wide.documents import read_whole_documents
from tests.model.bundles import LABELS, NETWORK, TEXT, make_bundle

TEXTS = pa.array(
    ["The film was good.", "A bad plot, badly acted; the end was good.", "很好", "unheard of"]
)
# It has other tokens than the bundle, and those that both have in another order.
VOCABULARY = Vocabulary(["plot", "good", "a", "the", "."], oov_buckets=2)


def make_examples(cut: Cut, *, max_tokens: int) -> Examples:
    """The texts as a dataset holds them that keeps `max_tokens` tokens of each."""
    tokens = Tokenizer(TEXT).tokenize(TEXTS)
    documents = read_whole_documents(tokens, VOCABULARY)
    lengths = np.diff(documents.row_offsets)
    kept = np.minimum(lengths, max_tokens)
    is_kept = mark_kept(kept, lengths - kept, cut)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    unknown_counts = np.bincount(rows[VOCABULARY.is_oov(documents.ids)], minlength=len(lengths))
    return Examples(
        ids=documents.ids[is_kept],
        row_offsets=np.concatenate([[0], np.cumsum(kept)]),
        labels=np.zeros(len(lengths), np.int64),
        weights=np.ones(len(lengths), np.float32),
        cut_ids=documents.ids[~is_kept],
        cut_offsets=np.concatenate([[0], np.cumsum(lengths - kept)]),
        unknown=UnknownTokens(data=documents.unknown_bytes, offsets=documents.unknown_offsets),
        unknown_offsets=np.concatenate([[0], np.cumsum(unknown_counts)]),
    )


def make_model(folder: Path, *, wide: bool, cut: Cut = "head") -> Bundle:
    config = NetworkConfig(
        embedding=NETWORK.embedding,
        lstm=NETWORK.lstm,
        wide=WideConfig(bigram_bits=8, character_bits=8) if wide else None,
    )
    text = ResolvedTextConfig(
        max_tokens=TEXT.max_tokens, vocabulary_size=TEXT.vocabulary_size, cut=cut
    )
    return make_bundle(folder, network=config, text=text, spread=0.5, wide=wide)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("cut", get_args(Cut))
@pytest.mark.parametrize("max_tokens", [4, 100])
def test_it_predicts_what_its_scorer_predicts(
    wide: bool, cut: Cut, max_tokens: int, tmp_path: Path
) -> None:
    bundle = make_model(tmp_path, wide=wide, cut="head+tail")
    engine = FoldedEngine(bundle.read_weights(), bundle.config.network, markers=bundle.markers)
    scored, _ = EngineScorer(bundle, engine).score(TEXTS)
    expected = scored.column("probabilities").flatten().to_numpy().reshape(-1, len(LABELS))
    examples = make_examples(cut, max_tokens=max_tokens)
    got = Teacher(bundle, VOCABULARY, cut=cut).predict(examples)
    assert np.allclose(got, expected, atol=1e-6)


def test_labels_in_another_order_are_put_in_that_of_the_dataset(tmp_path: Path) -> None:
    bundle = make_model(tmp_path, wide=False)
    text = ResolvedTextConfig(max_tokens=6, reserved_tokens=("plot",))  # only of the vocabulary
    order = order_of_labels(
        bundle, labels=("so-so", "neg", "pos"), text=text, multilabel=False, where="here"
    )
    assert [bundle.labels[index] for index in order] == ["so-so", "neg", "pos"]


@pytest.mark.parametrize(
    ("labels", "text", "multilabel", "expected"),
    [
        (("neg", "pos"), TEXT, False, r"labels \['neg', 'pos'\]"),
        (LABELS, TEXT, True, "network.head multilabel"),
        (LABELS, ResolvedTextConfig(max_tokens=6, nfkc=True), False, "text.nfkc True"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    labels: tuple[str, ...],
    text: ResolvedTextConfig,
    multilabel: bool,
    expected: str,
    tmp_path: Path,
) -> None:
    bundle = make_model(tmp_path, wide=False)
    with pytest.raises(ConfigError, match=f"here: expected a model with {expected}"):
        order_of_labels(bundle, labels=labels, text=text, multilabel=multilabel, where="here")
