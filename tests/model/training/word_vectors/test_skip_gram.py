"""Words that occur together get similar vectors, and the file can be read."""

import random

import numpy as np
import pyarrow as pa
import pytest

from model.config import ConfigError, EmbeddingConfig, TextConfig, VectorsConfig
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from model.training.word_vectors.pretrained_vectors import read_pretrained_vectors
from model.training.word_vectors.skip_gram import LINE_TOKENS, train_skip_gram, write_token_lines

pytest.importorskip("gensim", reason="the extra `vectors` is not installed")

CONFIG = VectorsConfig(units=12, epochs=30, window=3, min_frequency=2)


def _texts() -> list[str]:
    """Texts of two topics; no text has words of both."""
    rng = random.Random(1)  # noqa: S311
    topics = (["Cat", "dog", "purr", "bark"], ["bond", "stock", "yield", "price"])
    return [" ".join(rng.choices(rng.choice(topics), k=8)) for _ in range(400)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    with (folder / "tokens").open("w", encoding="utf-8") as sink:
        write_token_lines(pa.array(_texts()), Tokenizer(TextConfig()), sink)
    epochs = []
    result = train_skip_gram(
        folder / "tokens",
        folder / "vectors.txt",
        config=CONFIG,
        workers=1,
        on_epoch=lambda: epochs.append(1),
    )
    return result, folder / "vectors.txt", len(epochs)


def test_counts_and_epochs(trained):
    result, _, epochs = trained
    assert (result.words, result.tokens, epochs) == (8, 8 * 400, 30)


def test_words_of_one_topic_have_similar_vectors(trained):
    vocabulary = Vocabulary(["cat", "dog", "bond", "stock"], oov_buckets=1)
    with trained[1].open("rb") as lines:
        vectors = read_pretrained_vectors(
            lines, vocabulary, config=EmbeddingConfig(units=12), seed=1, where="vectors.txt"
        )
    assert vectors.found == 4
    rows = vectors.matrix[2:]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    likeness = rows @ rows.T
    assert min(likeness[0, 1], likeness[2, 3]) > max(likeness[0, 2], likeness[1, 3])


def test_long_texts_become_several_lines(tmp_path):
    with (tmp_path / "tokens").open("w", encoding="utf-8") as sink:
        texts = pa.array(["a " * (LINE_TOKENS + 5), "", "b"])
        write_token_lines(texts, Tokenizer(TextConfig()), sink)
    lines = (tmp_path / "tokens").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [LINE_TOKENS, 5, 1]


def test_without_a_frequent_token_the_error_is_one_line(tmp_path):
    (tmp_path / "tokens").write_text("each word once\n")
    with pytest.raises(ConfigError, match=r"vectors.min_frequency: expected tokens that occur 2"):
        train_skip_gram(
            tmp_path / "tokens", tmp_path / "v", config=CONFIG, workers=1, on_epoch=lambda: None
        )
