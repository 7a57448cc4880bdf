"""The wide part of a model as a TensorFlow graph, for serving; `model.wide` has the rules."""

import tensorflow as tf

from model.config import Head
from model.text.vocabulary import Vocabulary
from model.wide.features_kernel import (
    LONGEST_NGRAM,
    MAX_CHARACTERS,
    MULTIPLIER,
    TOKEN_END,
    TOKEN_START,
)
from model.wide.wide_part import LEAST_PROBABILITY, NGRAM_SCALE, WidePart, bits_of


class WideGraph(tf.Module):
    """Adds a model's wide part to its network's probabilities, inside TensorFlow.

    Args:
        wide: the wide part.
        vocabulary: of the model.
        head: of the network.
    """

    def __init__(self, wide: WidePart, vocabulary: Vocabulary, *, head: Head) -> None:
        super().__init__(name="wide")
        self._exclusive = head != "multilabel"
        self._first_token_id = vocabulary.first_token_id
        weights = wide.weights
        self._bigram_bits = bits_of(weights["bigrams"])
        # Variables, which a SavedModel keeps beside its graph: a graph has at most 2 GB.
        self._tokens = tf.Variable(wide.token_weights, trainable=False)
        self._bigrams = tf.Variable(weights["bigrams"], trainable=False)
        self._bias = tf.constant(weights["bias"])
        self._mix = weights["mix"]
        self._characters = None
        if "characters" in weights:
            self._character_bits = bits_of(weights["characters"])
            self._characters = tf.Variable(weights["characters"] * NGRAM_SCALE, trainable=False)

    def __call__(
        self, probabilities: tf.Tensor, ids: tf.RaggedTensor, folded: tf.RaggedTensor
    ) -> tf.Tensor:
        """The probabilities of network and wide part together, float32 `[batch, labels]`.

        Args:
            probabilities: of the network, float32 `[batch, labels]`.
            ids: int32 `[batch, (tokens)]`, of whole documents.
            folded: string, the tokens in folded form.
        """
        rows = ids.value_rowids()
        counts = ids.row_lengths()
        value = tf.math.rsqrt(tf.maximum(tf.cast(counts, tf.float32), 1.0))
        shares = tf.gather(value, rows) / _count_in_documents(rows, folded.values)
        weights = tf.gather(self._tokens, ids.values)
        if self._characters is not None:
            weights += self._ngram_weights(ids.values, folded.values)
        logits = self._sum(shares, weights, rows, ids.nrows())

        follows = 1 + tf.where(rows[1:] == rows[:-1])[:, 0]  # the tokens with one before them
        left, right = tf.gather(ids.values, follows - 1), tf.gather(ids.values, follows)
        buckets = _take_bits(
            tf.bitwise.left_shift(_unsigned(left), tf.constant(32, tf.uint64)) + _unsigned(right),
            self._bigram_bits,
        )
        rows = tf.gather(rows, follows)
        shares = tf.gather(value, rows) / _count_in_documents(rows, tf.as_string(buckets))
        logits += self._sum(shares, tf.gather(self._bigrams, buckets), rows, ids.nrows())
        return self._combine(probabilities, logits + self._bias)

    def _sum(
        self, shares: tf.Tensor, weights: tf.Tensor, rows: tf.Tensor, count: tf.Tensor
    ) -> tf.Tensor:
        return tf.math.unsorted_segment_sum(shares[:, tf.newaxis] * weights, rows, count)

    def _ngram_weights(self, ids: tf.Tensor, folded: tf.Tensor) -> tf.Tensor:
        """The sums of the n-grams of unknown tokens, 0 for known ones, float32 [tokens, columns].

        The n-grams of known tokens are in the tokens' weights already.
        """
        places = tf.where(ids < self._first_token_id)[:, 0]
        codes = tf.strings.unicode_decode(tf.gather(folded, places), "UTF-8")[:, :MAX_CHARACTERS]
        ends = tf.ones([codes.nrows(), 1], tf.int32)
        codes = tf.concat([TOKEN_START * ends, codes, TOKEN_END * ends], axis=1)
        tokens, lengths = codes.value_rowids(), codes.row_lengths()
        start = tf.range(tf.size(codes.values, tf.int64)) - tf.gather(codes.row_starts(), tokens)
        left = tf.gather(lengths, tokens) - start  # characters from this one to the end
        values = _unsigned(codes.values)
        state = values
        sums = tf.zeros([codes.nrows(), tf.shape(self._characters)[1]])
        for size in range(2, LONGEST_NGRAM + 1):
            place = tf.range(tf.size(values))
            following = tf.gather(values, tf.minimum(place + size - 1, tf.size(values) - 1))
            state = tf.bitwise.bitwise_xor(state * _multiplier(), following)
            buckets = _take_bits(state, self._character_bits)
            fits = tf.where(left >= size)[:, 0]
            weights = tf.gather(self._characters, tf.gather(buckets, fits))
            sums += tf.math.unsorted_segment_sum(weights, tf.gather(tokens, fits), codes.nrows())
        return tf.scatter_nd(
            places[:, tf.newaxis], sums, [tf.size(ids, tf.int64), tf.shape(sums, tf.int64)[1]]
        )

    def _combine(self, probabilities: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """As `model.wide.wide_part.combine`."""
        known = tf.maximum(tf.cast(probabilities, tf.float64), LEAST_PROBABILITY)
        logits = self._mix[1] * tf.cast(logits, tf.float64)
        if not self._exclusive:
            rest = tf.maximum(1 - tf.cast(probabilities, tf.float64), LEAST_PROBABILITY)
            scores = self._mix[0] * (tf.math.log(known) - tf.math.log(rest)) + logits
            return tf.cast(tf.sigmoid(scores), tf.float32)
        missing = tf.shape(known)[1] - tf.shape(logits)[1]
        logits = tf.pad(logits, [[0, 0], [missing, 0]])
        return tf.cast(tf.nn.softmax(self._mix[0] * tf.math.log(known) + logits), tf.float32)


def _count_in_documents(rows: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """How often each key, a string, occurs in its document, float32."""
    joined = tf.strings.join([tf.as_string(rows), keys], separator=" ")
    _, index, counts = tf.unique_with_counts(joined)
    return tf.cast(tf.gather(counts, index), tf.float32)


def _take_bits(keys: tf.Tensor, bits: int) -> tf.Tensor:
    """The highest bits of the product of keys, uint64, and `MULTIPLIER`; int64."""
    shift = tf.constant(64 - bits, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(keys * _multiplier(), shift), tf.int64)


def _multiplier() -> tf.Tensor:
    return tf.constant(MULTIPLIER, tf.uint64)


def _unsigned(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.cast(values, tf.int64), tf.uint64)
