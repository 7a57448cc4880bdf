"""The word vectors that an embedding starts from."""

import logging
from typing import Any

from model.config import EmbeddingConfig
from model.text.vocabulary import Vocabulary
from model.training.word_vectors.pretrained_vectors import (
    PretrainedVectors,
    read_pretrained_vectors,
)
from pipeline.storage.files import Files
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")


def read_vectors(
    embedding: EmbeddingConfig, vocabulary: Vocabulary, *, seed: int, files: Files
) -> PretrainedVectors | None:
    """The vectors of the vocabulary's tokens; None if the config names no file.

    Args:
        embedding: names the file.
        vocabulary: of the network.
        seed: for the vectors of tokens that are not in the file.
        files: where the file lies.

    Raises:
        ConfigError: if the file does not hold vectors of the embedding's width.
    """
    if embedding.vectors is None:
        return None
    with files.open(embedding.vectors) as stream:
        vectors = read_pretrained_vectors(
            stream, vocabulary, config=embedding, seed=seed, where=embedding.vectors
        )
    logger.info(
        "vectors: %s of %s tokens of the vocabulary are in %s",
        f"{vectors.found:,}",
        f"{len(vocabulary.tokens):,}",
        embedding.vectors,
    )
    return vectors


def describe_vectors(
    trial: Trial, vectors: PretrainedVectors, vocabulary: Vocabulary
) -> dict[str, Any]:
    """The `vectors` of a model's manifest: the file, its digest, and how many tokens it has."""
    return {
        "file": trial.config.network.embedding.vectors,
        "digest": trial.vectors_digest,
        "found": vectors.found,
        "tokens": len(vocabulary.tokens),
    }
