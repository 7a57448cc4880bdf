"""Documents of made-up words as examples, and the same documents as text."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from model.text.cutting import Cut, mark_kept
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples
from tests.model.training.made_up_examples import unknown_tokens

MAX_TOKENS = 8
WORDS = [*(f"w{number:02}" for number in range(30)), "naïve", "!", "退", "ราคา"]
KNOWN = 20  # of these words
VOCABULARY = Vocabulary(WORDS[:KNOWN], oov_buckets=2)
LABELS = ("even", "odd", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Documents:
    """The tokens of each document, and its label."""

    tokens: Sequence[Sequence[str]]
    labels: np.ndarray

    @property
    def texts(self) -> list[str]:
        """What a vectorizer of scikit-learn reads."""
        return [" ".join(document) for document in self.tokens]


def make_documents(rows: int, *, seed: int, labels: int = len(LABELS)) -> Documents:
    """Documents of 1 to 15 words; the label tells which two of them are frequent."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, rows)
    tokens = []
    for label in truth:
        likely = rng.choice(WORDS[label * 2 : label * 2 + 2] + WORDS[24:26], 3)
        others = rng.choice(WORDS, rng.integers(1, 13))
        tokens.append([str(word) for word in rng.permutation([*likely, *others])[:15]])
    return Documents(tokens=tokens, labels=truth)


def encode(
    documents: Documents, *, cut: Cut = "head+tail", labels: np.ndarray | None = None
) -> Examples:
    """Examples of which the network reads `MAX_TOKENS` tokens; other labels may be given."""
    known = {token: VOCABULARY.first_token_id + i for i, token in enumerate(VOCABULARY.tokens)}
    lengths = np.array([len(document) for document in documents.tokens])
    words = [word for document in documents.tokens for word in document]
    ids = np.array([known.get(word, 1 + len(word) % 2) for word in words], np.int32)
    kept = np.minimum(lengths, MAX_TOKENS)
    marks = mark_kept(kept, lengths - kept, cut)
    unknown = [[word for word in row if word not in known] for row in documents.tokens]
    return Examples(
        ids=ids[marks],
        row_offsets=np.cumsum([0, *kept]),
        labels=documents.labels if labels is None else labels,
        weights=np.ones(len(lengths), np.float32),
        cut_ids=ids[~marks],
        cut_offsets=np.cumsum([0, *(lengths - kept)]),
        unknown=unknown_tokens([word.encode() for row in unknown for word in row]),
        unknown_offsets=np.cumsum([0, *map(len, unknown)]),
    )
