"""The network of the configuration `guide_attention_2d` with random weights.

Speed does not depend on the weights, so no benchmark of scoring trains them.
"""

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from model.config import (
    AttentionConfig,
    ModelConfig,
    NetworkConfig,
    ResolvedTextConfig,
    ResolvedTrainingConfig,
    WideConfig,
)
from model.text.tokenizer import Tokenizer
from tests.model.bundles import write_untrained_model

VOCABULARY = 10_000
MAX_TOKENS = 200
NETWORK = NetworkConfig(attention=AttentionConfig(kind="positional"), head="sigmoid")
SPREAD = 0.1  # as trained weights have it: the LSTM's gates are neither idle nor saturated


def write_review_model(
    folder: Path, texts: Sequence[str], *, wide: WideConfig | None = None
) -> str:
    """Writes a model directory whose vocabulary is of the texts' words; returns its path.

    Its network has no wide part unless `wide` is given.
    """
    text = ResolvedTextConfig(max_tokens=MAX_TOKENS, vocabulary_size=VOCABULARY)
    tokens = Tokenizer(text).tokenize(pa.array(texts[:5_000])).folded().flatten()
    frequent = [token for token, _ in collections.Counter(tokens.to_pylist()).most_common()]
    filled = [*frequent, *(f"filler{number}" for number in range(VOCABULARY))][:VOCABULARY]
    columns = {"id": "id", "text": "text", "label": None, "labels": None}
    write_untrained_model(
        folder,
        config=ModelConfig(
            text=text,
            network=dataclasses.replace(NETWORK, wide=wide),
            training=ResolvedTrainingConfig(epochs=1),
        ),
        wide=wide is not None,
        tokens=filled,
        labels=("neg", "pos"),
        golden_texts=texts[:32],
        spread=SPREAD,
        manifest={"config": {"corpus": {"columns": columns}}, "model_version": "bench/1"},
    )
    return str(folder)
