"""The tokenizer and the vocabulary as one TensorFlow graph, for serving.

It returns the same tokens as `model.text.tokenizer`, whose docstring has the rule, and the same ids
as `Vocabulary.encode`. The kernel reads one character after another and keeps a state. The graph
has no loop; it computes the same facts for all characters at once, such as "the last position up to
this one that starts a segment".
"""

import numpy as np
import tensorflow as tf

from model.config import TextConfig
from model.scoring.paged_table import PagedTable
from model.text.characters import CODE_POINTS, CharacterClass, class_table, folding_table
from model.text.protected import CLOSING, MARKED, OPENING, join_patterns
from model.text.vocabulary import Vocabulary
from model.text.vocabulary_kernel import ABSENT, OOV_KEY

SPACE = CharacterClass.SPACE


class TokenizerGraph(tf.Module):
    """Tokenizes and encodes strings inside TensorFlow; can be saved in a SavedModel.

    With `config.nfkc` the graph has an operation of tensorflow-text. A process that loads it
    must import `tensorflow_text` first (TensorFlow Serving has it built in).

    Args:
        config: as for `Tokenizer`.
        vocabulary: gives the ids; its tokens are stored in the graph.

    Raises:
        ConfigError: as `Tokenizer` does.
    """

    def __init__(self, config: TextConfig, vocabulary: Vocabulary) -> None:
        super().__init__(name="tokenizer")
        self._nfkc = config.nfkc
        self._drop_html = config.drop_html
        self._pattern = join_patterns(config.protected)
        self._keep = config.invisible == "keep"
        self._classes = PagedTable(class_table(invisible=config.invisible))
        folding = folding_table(
            lowercase=config.lowercase, fold_digits=config.fold_digits, invisible=config.invisible
        )
        self._shifts = PagedTable(folding - np.arange(CODE_POINTS))
        self._oov_buckets = vocabulary.oov_buckets
        # A lookup table must have an entry. No token is empty, so "" can be one.
        keys = ["", *vocabulary.tokens]
        ids = [ABSENT, *range(vocabulary.first_token_id, vocabulary.size)]
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids, tf.string, tf.int32), ABSENT
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        """Tokenizes a batch.

        Args:
            texts: UTF-8, string [batch]. Bytes that are not UTF-8 are read as U+FFFD.

        Returns:
            ragged [batch, (tokens)]: `surfaces` and `folded`, string; `starts` and `ends`,
            int32, in characters of the text; `ids`, int32.
        """
        decoded = tf.strings.unicode_decode(texts, "UTF-8")
        codes, rows = decoded.values, tf.cast(decoded.value_rowids(), tf.int32)
        row_starts = tf.cast(decoded.row_starts(), tf.int32)
        first = tf.range(tf.size(codes)) == tf.gather(row_starts, rows)
        first, protected = self._divide(texts, first)
        segments = tf.cumsum(tf.cast(first, tf.int32))
        kinds = self._classes.look_up(codes)
        if self._drop_html:
            kinds = tf.where(_find_tags(codes, segments, protected), SPACE, kinds)

        # Tokens are found among the characters that are seen; `places` is where those are.
        seen = kinds < CharacterClass.IGNORABLE
        places = tf.cast(tf.where(seen)[:, 0], tf.int32)
        glue = tf.cumsum(tf.cast(kinds == CharacterClass.GLUE, tf.int32))
        kinds, protected, segments, glue = (
            tf.boolean_mask(x, seen) for x in (kinds, protected, segments, glue)
        )
        segment_ends = tf.concat([tf.cast(tf.where(first)[1:, 0], tf.int32), [tf.size(codes)]], 0)
        first = segments != _previous(segments)
        begins, inside = _find_tokens(kinds, first, glue != _previous(glue), keep=self._keep)
        begins = tf.where(protected, first, begins)
        inside |= protected

        starts = tf.cast(tf.where(begins)[:, 0], tf.int32)
        goes_on = _next(inside & ~begins)  # the next character continues the token
        ends = 1 + tf.cast(tf.where(inside & ~goes_on)[:, 0], tf.int32)
        folded = self._fold(tf.gather(codes, tf.boolean_mask(places, inside)), ends - starts)
        # A token ends where the next character that is seen begins, or the segment ends.
        following = tf.gather(tf.concat([places, [tf.size(codes)]], axis=0), ends)
        ends = tf.minimum(following, tf.gather(segment_ends, tf.gather(segments, starts) - 1))
        starts = tf.gather(places, starts)
        token_rows = tf.gather(rows, starts)
        row_starts = tf.gather(row_starts, token_rows)
        columns = {
            "surfaces": _cut(codes, starts, ends),
            "folded": folded,
            "starts": starts - row_starts,
            "ends": ends - row_starts,
            "ids": self._encode(folded),
        }
        return {
            name: tf.RaggedTensor.from_value_rowids(
                values, tf.cast(token_rows, tf.int64), decoded.nrows(), validate=False
            )
            for name, values in columns.items()
        }

    def _divide(self, texts: tf.Tensor, first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Which characters are the first of a segment, and which are protected.

        A segment is tokenized on its own. It is a row, the part of a row before, between or after
        protected matches, or one such match.

        Args:
            texts: as in `__call__`.
            first: whether each character is the first of its row.
        """
        if not self._pattern:
            return first, tf.zeros_like(first)
        protected, match_borders = self._find_protected(texts)
        return first | match_borders, protected

    def _find_protected(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Which characters are in a match, and which are the first of a match or first after it."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
        marked = tf.strings.regex_replace(texts, self._pattern, MARKED)
        marked_bytes = tf.strings.unicode_decode(marked, "ISO-8859-1").values
        opening, closing = marked_bytes == OPENING, marked_bytes == CLOSING
        empty = opening & _next(closing)
        opening, closing = opening & ~empty, closing & ~_previous(empty)
        openings, closings = (tf.cumsum(tf.cast(x, tf.int32)) for x in (opening, closing))
        # Every character has exactly one byte that is not a continuation byte.
        leads = (tf.bitwise.bitwise_and(marked_bytes, 0xC0) != 0x80) & (marked_bytes < CLOSING)
        protected = tf.boolean_mask(openings > closings, leads)
        borders = tf.boolean_mask(openings + closings, leads)
        return protected, borders != _previous(borders)

    def _fold(self, codes: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The folded form of tokens, whose characters lie end to end, string [tokens]."""
        token_codes = tf.RaggedTensor.from_row_lengths(codes, lengths, validate=False)
        if self._nfkc:
            import tensorflow_text  # imported only where its operation is needed

            surfaces = tf.strings.unicode_encode(token_codes, "UTF-8")
            unassigned = token_codes.with_values(
                self._classes.look_up(token_codes.values) == CharacterClass.UNASSIGNED
            )
            normalized = tensorflow_text.normalize_utf8(surfaces, "NFKC")
            normalized = tf.where(tf.reduce_any(unassigned, axis=1), surfaces, normalized)
            token_codes = tf.strings.unicode_decode(normalized, "UTF-8")
        folded = token_codes.values + self._shifts.look_up(token_codes.values)
        return tf.strings.unicode_encode(token_codes.with_values(folded), "UTF-8")

    def _encode(self, folded: tf.Tensor) -> tf.Tensor:
        """The ids of folded tokens, int32 [tokens]."""
        ids = self._ids.lookup(folded)
        buckets = tf.strings.to_hash_bucket_strong(folded, self._oov_buckets, OOV_KEY)
        return tf.where(ids == ABSENT, 1 + tf.cast(buckets, tf.int32), ids)


def _find_tokens(
    kinds: tf.Tensor, first: tf.Tensor, glued: tf.Tensor, *, keep: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Which characters begin a token, and which are in one.

    Args:
        kinds: the class of every character; none is ignorable.
        first: whether it is the first of its segment.
        glued: whether there is glue between it and the character before.
        keep: whether ignorable characters are kept, and have other classes.
    """
    segment_starts = _last(first)
    letters = _is_one_of(kinds, CharacterClass.WORD, CharacterClass.DIGIT)
    extends = _is_one_of(kinds, CharacterClass.EXTEND, CharacterClass.JOINER)
    apostrophes = kinds == CharacterClass.APOSTROPHE
    regionals = kinds == CharacterClass.REGIONAL

    bases = _last(~extends)
    base_kinds = tf.where(bases < segment_starts, SPACE, tf.gather(kinds, tf.maximum(bases, 0)))
    word_bases = (SPACE, CharacterClass.WORD, CharacterClass.DIGIT)
    words = letters | (extends & _is_one_of(base_kinds, *word_bases))
    joining = apostrophes & ~first & _previous(words) & _next(letters & ~first)
    words |= joining

    runs = tf.maximum(_last(~regionals) + 1, segment_starts)
    second_regionals = regionals & ((tf.range(tf.size(kinds)) - runs) % 2 == 1)
    pictures = (CharacterClass.PICTURE, CharacterClass.UNASSIGNED)
    if keep:
        singles = _is_one_of(kinds, CharacterClass.SINGLE, *pictures) | (apostrophes & ~joining)
        glued = singles & _previous((kinds == CharacterClass.JOINER) & ~words)
    else:
        glued &= _is_one_of(kinds, *pictures) & _previous(_is_one_of(base_kinds, *pictures))

    continues = (words & _previous(words)) | (extends & ~words) | second_regionals | glued
    inside = kinds != SPACE
    return inside & (first | ~continues), inside


def _cut(codes: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """The strings `codes[start:end]`, string [tokens]; they do not overlap."""
    inside = _mark(starts, ends, tf.size(codes))
    characters = tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(codes, inside), ends - starts, validate=False
    )
    return tf.strings.unicode_encode(characters, "UTF-8")


def _mark(starts: tf.Tensor, ends: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Which of the positions below `size` are in one of the ranges from `starts` to `ends`."""
    edges = tf.concat([tf.ones_like(starts), -tf.ones_like(ends)], axis=0)
    places = tf.concat([starts, ends], axis=0)[:, tf.newaxis]
    steps = tf.scatter_nd(places, edges, [tf.cast(size, starts.dtype) + 1])
    return tf.cumsum(steps)[:-1] > 0


def _find_tags(codes: tf.Tensor, segments: tf.Tensor, protected: tf.Tensor) -> tf.Tensor:
    """Which characters are in an HTML tag: `<` to the next `>`, if that is a tag."""
    angles = tf.where(((codes == ord("<")) | (codes == ord(">"))) & ~protected)[:, 0]
    opening, closing = angles[:-1], angles[1:]
    following = tf.gather(codes, opening + 1)
    lower = tf.bitwise.bitwise_or(following, 0x20)
    named = ((lower >= ord("a")) & (lower <= ord("z"))) | (following == ord("/"))
    named |= following == ord("!")
    tags = named & (tf.gather(codes, opening) == ord("<")) & (tf.gather(codes, closing) == ord(">"))
    tags &= tf.gather(segments, opening) == tf.gather(segments, closing)
    opening, closing = tf.boolean_mask(opening, tags), tf.boolean_mask(closing, tags)
    return _mark(opening, closing + 1, tf.size(codes))


def _is_one_of(kinds: tf.Tensor, *wanted: int) -> tf.Tensor:
    return tf.reduce_any([kinds == kind for kind in wanted], axis=0)


def _previous(values: tf.Tensor) -> tf.Tensor:
    """Each position's left neighbor; False or 0 for the first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], axis=0)


def _next(values: tf.Tensor) -> tf.Tensor:
    """Each position's right neighbor; False or 0 for the last."""
    return tf.concat([values[1:], tf.zeros_like(values[:1])], axis=0)


def _last(flags: tf.Tensor) -> tf.Tensor:
    """For each position, the last one up to and including it that has the flag; -1 if none has."""
    flagged = tf.concat([[-1], tf.cast(tf.where(flags)[:, 0], tf.int32)], axis=0)
    return tf.gather(flagged, tf.cumsum(tf.cast(flags, tf.int32)))
