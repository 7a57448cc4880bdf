"""The wide part: a linear model beside the network, and how the two answer together.

The wide part knows what an LSTM forgets: rare words, and what the words of a long document say
together. It is a linear model over the features of `model.wide.features`,

    z = b + Σ_t s_t (W[t] + 0.4 Σ_g C[g]) + Σ_p s_p B[p],

with a row W for every token, B for every bucket of bigrams p, and C for every bucket of character
n-grams g (2 to 5 characters of a token between its marks of start and end; Bojanowski et al.,
2017, have the same for word vectors). For the tokens of the vocabulary, W and C are added up once,
when the model is loaded; for others the n-grams are found in the text.

With the network's probabilities p, the prediction is softmax(α log p + β z); of two labels that
exclude each other only the second has a column, and z of the first is 0. Independent labels get
sigmoid(α (log p - log(1 - p)) + β z) each. α and β (`mix`) are chosen on the validation split.

References: Cheng et al., "Wide & Deep Learning for Recommender Systems" (2016); Hinton, "Products
of Experts" (1999).
"""

import dataclasses
import functools

import numpy as np
import pyarrow as pa

from model.config import Head, WideConfig
from model.text.string_buffers import read_strings
from model.text.vocabulary import Vocabulary
from model.weights import Shapes, Weights
from model.wide.contributions import Contributions
from model.wide.contributions_kernel import sum_contributions
from model.wide.documents import WholeDocuments
from model.wide.features import TokenFeatures, find_features
from model.wide.features_kernel import sum_logits, sum_ngrams

WIDE = "wide"  # the name of the wide part among the layers of a file of weights

# Chosen on the validation splits of TREC, SMS spam and tweets, where 0.2 and 0.7 were worse in the
# mean. A token has about 20 n-grams, which are penalized apart.
NGRAM_SCALE = np.float32(0.4)

# Probabilities are not taken nearer to 0 than that: their logarithms would lose all digits.
LEAST_PROBABILITY = 1e-12


def wide_shapes(config: WideConfig, *, ids: int, labels: int, head: Head) -> Shapes:
    """The shapes of the weights that `WidePart` takes.

    Args:
        config: the sizes of its tables.
        ids: ids of the vocabulary.
        labels: number of labels.
        head: of the network.
    """
    columns = 1 if head != "multilabel" and labels == 2 else labels
    shapes = {
        "tokens": (ids, columns),
        "bigrams": (2**config.bigram_bits, columns),
        "bias": (columns,),
        "mix": (2,),
    }
    if config.character_bits is None:
        return shapes
    return {**shapes, "characters": (2**config.character_bits, columns)}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WeighedDocuments:
    """Documents with their features, and the weights of their unknown tokens.

    Attributes:
        documents: the tokens.
        features: of them.
        unknown_weights: float32 `(unknown tokens, columns)`, with those of the n-grams.
    """

    documents: WholeDocuments
    features: TokenFeatures
    unknown_weights: np.ndarray


class WidePart:
    """Scores whole documents with the wide part's weights; safe to share between threads.

    Args:
        weights: float32, with the shapes of `wide_shapes`. There is one column for each label, or
            a single one if two labels exclude each other.
        vocabulary: of the model.
        head: of the network.

    Attributes:
        weights: as given.
        token_weights: float32 `(ids, columns)`, with the weights of the n-grams of known tokens.
    """

    def __init__(self, weights: Weights, vocabulary: Vocabulary, *, head: Head) -> None:
        self.weights = weights
        self._exclusive = head != "multilabel"
        self._first_token_id = vocabulary.first_token_id
        self._bigram_bits = bits_of(weights["bigrams"])
        self.token_weights = np.array(weights["tokens"], np.float32)  # a copy, to add to
        known = self.token_weights[self._first_token_id :]
        self._add_ngrams(*_utf8_of(vocabulary), known)

    def weigh(self, documents: WholeDocuments) -> WeighedDocuments:
        """Finds the features of documents, and the weights of the unknown tokens."""
        features = find_features(
            documents, first_token_id=self._first_token_id, bigram_bits=self._bigram_bits
        )
        unknown_weights: np.ndarray = self.token_weights[documents.ids[features.unknown]]
        self._add_ngrams(documents.unknown_bytes, documents.unknown_offsets, unknown_weights)
        return WeighedDocuments(
            documents=documents, features=features, unknown_weights=unknown_weights
        )

    def logits(self, documents: WholeDocuments) -> np.ndarray:
        """The wide part's logits z of documents, float32 `(rows, columns)`."""
        return self.sum_logits(self.weigh(documents))

    def sum_logits(self, weighed: WeighedDocuments) -> np.ndarray:
        """As `logits`, of documents that are weighed already."""
        documents, features = weighed.documents, weighed.features
        rows = len(documents.row_offsets) - 1
        logits = np.tile(self.weights["bias"], (rows, 1)).astype(np.float32)
        sum_logits(
            documents.ids,
            self.token_weights,
            self._first_token_id,
            weighed.unknown_weights,
            features.shares,
            features.bigrams,
            self.weights["bigrams"],
            features.bigram_shares,
            documents.row_offsets,
            logits,
        )
        return logits

    def contributions(self, weighed: WeighedDocuments, labels: np.ndarray) -> Contributions:
        """What every token contributes to the score of its document's label.

        Args:
            weighed: the documents.
            labels: int `(rows,)`, the index of each document's label.
        """
        documents, features = weighed.documents, weighed.features
        columns, own, others = self._margin_over_others(labels)
        contributions = np.empty(len(documents.ids), np.float32)
        sum_contributions(
            documents.ids,
            self._first_token_id,
            self.token_weights,
            self._token_sums,
            weighed.unknown_weights,
            weighed.unknown_weights.sum(axis=1),
            features.shares,
            features.bigrams,
            self.weights["bigrams"],
            self._bigram_sums,
            features.bigram_shares,
            documents.row_offsets,
            columns,
            own,
            others,
            contributions,
        )
        bias = self.weights["bias"]
        rest = own * bias[columns] - others * bias.sum()
        return Contributions(tokens=contributions, rest=rest.astype(np.float32))

    def combine(self, probabilities: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The probabilities of network and wide part together, float32 `(rows, labels)`.

        Args:
            probabilities: of the network, float32 `(rows, labels)`.
            logits: from `logits`, of the same documents.
        """
        return combine(
            probabilities, logits, mix=self.weights["mix"], exclusive=self._exclusive
        ).astype(np.float32)

    @functools.cached_property
    def _token_sums(self) -> np.ndarray:
        return self.token_weights.sum(axis=1)

    @functools.cached_property
    def _bigram_sums(self) -> np.ndarray:
        return self.weights["bigrams"].sum(axis=1)

    def _margin_over_others(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.float32]:
        """`columns`, `own` and `others` of `sum_contributions` for labels, int `(rows,)`."""
        columns = len(self.weights["bias"])
        beta = np.float32(self.weights["mix"][1])
        if self._exclusive and columns == 1:  # two labels: z of the first one is 0
            signs = np.where(labels == 0, -beta, beta).astype(np.float32)
            return np.zeros(len(labels), np.int64), signs, np.float32(0)
        others = beta / np.float32(columns - 1) if self._exclusive else np.float32(0)
        own = np.full(len(labels), beta + others, np.float32)
        return labels.astype(np.int64), own, others

    def _add_ngrams(self, data: np.ndarray, offsets: np.ndarray, sums: np.ndarray) -> None:
        """Adds the weights of the tokens' n-grams to `sums`, float32 `(tokens, columns)`."""
        if "characters" in self.weights:
            table = self.weights["characters"] * NGRAM_SCALE
            sum_ngrams(data, offsets, table, bits_of(table), sums)


def combine(
    probabilities: np.ndarray, logits: np.ndarray, *, mix: np.ndarray, exclusive: bool
) -> np.ndarray:
    """The formula at the head of this module, float64 `(rows, labels)`.

    Args:
        probabilities: of the network, `(rows, labels)`.
        logits: of the wide part, `(rows, columns)`.
        mix: α and β.
        exclusive: whether a document has exactly one of the labels.
    """
    known = np.maximum(probabilities.astype(np.float64), LEAST_PROBABILITY)
    if not exclusive:
        rest = np.maximum(1 - probabilities.astype(np.float64), LEAST_PROBABILITY)
        scores = mix[0] * (np.log(known) - np.log(rest)) + mix[1] * logits
        return 0.5 * (1 + np.tanh(scores / 2))
    scores = mix[0] * np.log(known)
    scores[:, -logits.shape[1] :] += mix[1] * logits
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def bits_of(table: np.ndarray) -> int:
    """The logarithm to base 2 of a table's rows."""
    return len(table).bit_length() - 1


def _utf8_of(vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    return read_strings(pa.array(vocabulary.tokens, pa.string()))
