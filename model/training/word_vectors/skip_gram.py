"""Learns word vectors from unlabeled text: skip-gram with negative sampling.

gensim trains them, on all cores, from a file of tokens; the extra `vectors` installs it.

Reference: Mikolov et al., 2013.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from model.config import ConfigError, VectorsConfig
from model.text.tokenizer import Tokenizer

# gensim reads at most this many tokens of a line and ignores the rest without a warning.
LINE_TOKENS = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkipGramCounts:
    """How many words got a vector, and from how many tokens of text they were learned."""

    words: int
    tokens: int


def write_token_lines(texts: pa.StringArray, tokenizer: Tokenizer, sink: TextIO) -> None:
    """Writes the folded tokens of each text as a line, separated by spaces.

    A text of more than `LINE_TOKENS` tokens becomes several lines.
    """
    for tokens in tokenizer.tokenize(texts).folded().to_pylist():
        for start in range(0, len(tokens), LINE_TOKENS):
            # gensim takes a protected token that contains a space for two words.
            sink.write(" ".join(tokens[start : start + LINE_TOKENS]) + "\n")


def train_skip_gram(
    token_lines: Path,
    output: Path,
    *,
    config: VectorsConfig,
    workers: int,
    on_epoch: Callable[[], None],
) -> SkipGramCounts:
    """Trains word vectors and writes them to a file in word2vec's text format.

    Args:
        token_lines: the file that `write_token_lines` wrote.
        output: the file to write: a line `words units`, then one line per word with its numbers.
        config: units, epochs, window, frequency.
        workers: threads; with more than one, the vectors differ a little from run to run.
        on_epoch: called after each pass over the lines.

    Raises:
        ConfigError: if gensim is not installed, or no token is frequent enough.
    """
    try:
        from gensim.models import Word2Vec
        from gensim.models.callbacks import CallbackAny2Vec
    except ImportError as error:
        raise ConfigError(
            "vectors: expected the library gensim, got none. Run: pip install 'limelight[vectors]'"
        ) from error

    class _ReportEpoch(CallbackAny2Vec):
        def on_epoch_end(self, model: Word2Vec) -> None:
            on_epoch()

    learner = Word2Vec(
        sg=1,
        vector_size=config.units,
        window=config.window,
        min_count=config.min_frequency,
        negative=config.negative_samples,
        workers=workers,
        seed=config.seed,
    )
    learner.build_vocab(corpus_file=str(token_lines))
    if not learner.wv.key_to_index:
        raise ConfigError(
            f"vectors.min_frequency: expected tokens that occur {config.min_frequency} times, got "
            "none. Give more text, or lower vectors.min_frequency."
        )
    learner.train(
        corpus_file=str(token_lines),
        total_examples=learner.corpus_count,
        total_words=learner.corpus_total_words,
        epochs=config.epochs,
        callbacks=[_ReportEpoch()],
    )
    learner.wv.save_word2vec_format(str(output))
    return SkipGramCounts(words=len(learner.wv), tokens=learner.corpus_total_words)
