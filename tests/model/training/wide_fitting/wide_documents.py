"""Documents of made-up words for tests that fit a wide part."""

import numpy as np
import pyarrow as pa

from model.config import TextConfig
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from model.training.wide_fitting.fit_wide_part import LabeledDocuments
from model.wide.documents import read_whole_documents

VOCABULARY = Vocabulary(["good", "bad", "film", "not", "very"], oov_buckets=1)


def label_texts(
    texts: list[str], labels: list[int], *, weights: list[float] | None = None, count: int = 2
) -> LabeledDocuments:
    """Documents of texts, with one label index each."""
    tokens = Tokenizer(TextConfig()).tokenize(pa.array(texts, pa.string()))
    return LabeledDocuments(
        documents=read_whole_documents(tokens, VOCABULARY),
        targets=np.eye(count, dtype=np.float32)[labels],
        weights=np.array([1.0] * len(texts) if weights is None else weights, np.float32),
    )


def random_texts(rows: int, *, seed: int) -> tuple[list[str], list[int]]:
    """Reviews of 2 to 9 words, each good (1) or bad (0) as most of their words are."""
    random = np.random.default_rng(seed)
    words = ["good", "bad", "film", "not", "very", "goodish", "badly", "filmed"]
    texts = [" ".join(random.choice(words, random.integers(2, 10))) for _ in range(rows)]
    return texts, [int(text.count("good") > text.count("bad")) for text in texts]
