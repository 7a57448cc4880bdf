"""Every engine gives the same predictions, with any threads, batch and neighbors.

The fast tests score generated text in several scripts with a few networks. The slow ones
score 500 real reviews, English and Chinese, with every kind of network.
"""

import csv
import gzip
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from model.bundle.bundle import Bundle
from model.config import (
    AttentionConfig,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    ResolvedTextConfig,
)
from model.folded.engine import FoldedEngine
from model.layers.attention import KINDS
from model.layers.classifier import CONTROLS
from model.layers.keras_engine import KerasEngine
from model.runtime.backend import backend_name
from model.scoring.engine_scorer import EngineScorer
from model.scoring.scorer import Scorer
from tests.model.bundles import make_bundle, texts_array

TOLERANCE = 1e-5
# The largest share of tokens where max pooling may choose another of two equal states: states
# of random networks are often saturated, and then equal.
MAX_TIES = 1e-2
TEXT = ResolvedTextConfig(max_tokens=50, vocabulary_size=8, nfkc=True)

SCRIPTS = (
    "مرحبا بالعالم هذا فيلم جيد جدا ولكنه طويل",
    "ภาพยนตร์เรื่องนี้ดีมาก แต่ยาวเกินไป",
    "이 영화는 정말 좋았지만 너무 길었다",
    "👩‍🚀🇺🇸👍🏽😀❤️👨‍👩‍👧🏳️‍🌈",
    "很好 the film was GOOD . bad",
)


def made_up_texts() -> list[str]:
    """60 distinct texts, each of 1 to 60 random words of the sentences above."""
    random = np.random.default_rng(0)
    pieces = [piece for text in SCRIPTS for piece in text.split(" ")]
    sizes = random.integers(1, 60, 60)
    return [" ".join(random.choice(pieces, size)) + f" {n}" for n, size in enumerate(sizes)]


def real_texts() -> list[str]:
    """250 English and 250 Chinese reviews."""
    if not os.environ.get("CORPORA"):
        pytest.skip("CORPORA does not name the folder of imdb/ and zh_shopping/")
    root = Path(os.environ["CORPORA"])
    english = root / "imdb" / "test.jsonl.gz"
    chinese = root / "zh_shopping" / "online_shopping_10_cats.csv.gz"
    with gzip.open(english, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in itertools.islice(lines, 250)]
    with gzip.open(chinese, "rt", encoding="utf-8", newline="") as lines:
        rows = itertools.islice(csv.DictReader(lines), 0, 62_500, 250)
        texts += [row["review"] for row in rows]
    assert len(texts) == 500
    return texts


def network(
    kind: str = "zhou",
    *,
    head: str = "softmax",
    layers: int = 1,
    merge: str = "concat",
    entities: tuple[tuple[str, str], ...] = (),
) -> NetworkConfig:
    return NetworkConfig(
        embedding=EmbeddingConfig(units=7),
        lstm=LSTMConfig(units=5, layers=layers, merge=merge),
        attention=AttentionConfig(kind=kind, units=6, heads=2),
        head=head,
        entities=entities,
    )


FEW = {
    "zhou": network(),
    "positional": network("positional", head="sigmoid", layers=2, merge="sum"),
    "multihead": network("multihead", head="multilabel"),
    "entities": network(merge="sum", entities=(("the", "film"), ("was", "."))),
}
EVERY = {
    f"{kind}-{head}-{layers}-{merge}": network(kind, head=head, layers=layers, merge=merge)
    for kind in KINDS
    for head, layers, merge in [
        ("softmax", 1, "concat"),
        ("sigmoid", 2, "sum"),
        ("multilabel", 2, "concat"),
        ("softmax", 1, "sum"),
    ]
}
SEQUENCES = {
    f"{kind}-sequences": NetworkConfig(
        embedding=EmbeddingConfig(units=7),
        lstm=LSTMConfig(units=5),
        attention=AttentionConfig(kind=kind, units=6, heads=2, return_sequences=True),
    )
    for kind in KINDS
    if kind not in CONTROLS
}


def random_bundle(folder: Path, config: NetworkConfig) -> Bundle:
    """A model with random weights, large enough that documents get different predictions."""
    labels = ("neg", "pos") if config.head == "sigmoid" else ("neg", "pos", "so-so")
    return make_bundle(folder, text=TEXT, network=config, labels=labels, spread=0.5)


def scorers(bundle: Bundle, *, serving: bool) -> Iterator[tuple[str, Scorer]]:
    yield "keras", EngineScorer(bundle, KerasEngine(bundle.build_network()))
    weights, config = bundle.read_weights(), bundle.config.network
    for threads in (1, 3):
        engine = FoldedEngine(weights, config, markers=bundle.markers, threads=threads)
        yield f"folded-{threads}", EngineScorer(bundle, engine)
    if serving and backend_name() == "tensorflow":
        from model.scoring.serving import write_serving
        from model.scoring.tensorflow_scorer import TensorFlowScorer

        write_serving(bundle)
        yield "tensorflow", TensorFlowScorer(bundle)


def answers(scorer: Scorer, texts: list[str], order: np.ndarray, batch: int) -> pa.Table:
    """Predictions in the order of the texts, which are scored in `order` and in batches."""
    parts = []
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        scored, has_tokens = scorer.score(texts_array([texts[row] for row in rows]))
        parts.append(scored.append_column("row", pa.array(rows[has_tokens])))
    return pa.Table.from_batches(parts).sort_by("row").combine_chunks()


def assert_same(one: pa.Table, other: pa.Table, name: str, *, kind: str) -> None:
    for column in ("tokens", "token_starts", "token_ends", "truncated_tokens", "oov_tokens", "row"):
        assert one.column(column).equals(other.column(column)), (name, column)
    for column in ("probabilities", "attention"):
        got, expected = (
            table.column(column).combine_chunks().flatten().to_numpy() for table in (one, other)
        )
        if kind == "max" and column == "attention":
            # A token's weight is the share of units that are largest there. Where two states
            # differ by rounding alone, two engines may choose different tokens.
            lengths = one.column("token_count").combine_chunks().to_numpy()
            starts = np.cumsum(lengths) - lengths
            moved = np.abs(got - expected) > TOLERANCE
            assert moved.mean() < MAX_TIES, name
            got, expected = np.add.reduceat(got, starts), np.add.reduceat(expected, starts)
        np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE, err_msg=name)


def check(bundle: Bundle, texts: list[str], *, serving: bool) -> None:
    """Compares every engine in one batch, in small batches and with other neighbors."""
    kind = bundle.config.network.attention.kind
    straight = np.arange(len(texts))
    shuffled = np.random.default_rng(1).permutation(len(texts))
    reference = None
    for name, scorer in scorers(bundle, serving=serving):
        for order, batch in ((straight, len(texts)), (straight, 37), (shuffled, 100)):
            got = answers(scorer, texts, order, batch)
            reference = got if reference is None else reference
            assert_same(got, reference, f"{name}, batches of {batch}", kind=kind)
    alone = answers(scorer, texts[:5], np.arange(5), 1)
    assert_same(alone, reference.slice(0, alone.num_rows), "alone", kind=kind)
    # A scorer that gave every text the same prediction would pass all checks above.
    assert len(set(reference.column("score").to_pylist())) > len(texts) // 2


@pytest.mark.parametrize("name", FEW)
def test_made_up_texts_in_several_scripts(tmp_path, name):
    check(
        random_bundle(tmp_path / "1", FEW[name]),
        made_up_texts(),
        serving=name in ("positional", "entities"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY | SEQUENCES)
def test_real_reviews_with_every_network(tmp_path, name):
    bundle = random_bundle(tmp_path / "1", (EVERY | SEQUENCES)[name])
    # The SavedModel's tokenizer is slow on texts this long, so one network must do.
    serving = name == "context-softmax-1-concat"
    check(bundle, [*real_texts(), *made_up_texts()], serving=serving)
