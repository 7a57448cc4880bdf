"""Text -> tokens, with offsets into the original text.

**The rule.** `model.text.characters` defines the classes of characters. Reading from left to
right, a token is one of

    word     (WORD | EXTEND)+  ( APOSTROPHE WORD (WORD | EXTEND)* )*
    flag     REGIONAL REGIONAL? EXTEND*
    picture  PICTURE EXTEND*  ( GLUE PICTURE EXTEND* )*
    single   SINGLE EXTEND*

where WORD is word or digit, PICTURE is picture or unassigned, and SINGLE is single or an apostrophe
that is not part of a word. White space separates tokens and belongs to none.

Ignorable characters, which nobody sees, do not change which word a token is: a text has the same
tokens with and without them, in folded form. U+00AD within `invoice` is no part of the word, and
neither is U+200B. Glue is one of them, but between two pictures it makes them one (an astronaut is
a woman, U+200D, and a rocket). A token as written includes the ignorable characters within it and
directly after it; those that do not follow a token directly belong to none. Every other character
is in exactly one token. For example

    Don't stop…  l’été 2024  日本語  หมา  नमस्ते  👩‍🚀🇺🇸

has the tokens Don't, stop, …, l’été, 2024, 日, 本, 語, ห, ม, า, नमस्ते, 👩‍🚀, 🇺🇸.

Before the rule is applied, in this order:

- a match of a `protected` pattern is one token, whatever characters it has; the text before
  it and the text after it are tokenized as two separate texts;
- with `drop_html`, a tag is white space: `<`, then an ASCII letter, `/` or `!`, up to the
  next `>`, with no `<` between.

The vocabulary uses the folded form of a token, which is made in three steps:

1. Ignorable characters are left out.
2. NFKC (`nfkc`), but only if all its characters are assigned in the tables' Unicode version,
   because libraries disagree about other characters.
3. Each code point is replaced by one code point (`model.text.characters.folding_table`): by its
   lower case (`lowercase`), and a digit by 0 (`fold_digits`).

Protected tokens are folded like any other; patterns and tags are found in the text as written.
Offsets and surfaces are always those of the original text.

With `invisible: keep`, as in models of older releases, no character is ignorable or glue
(`model.text.characters`), and a flag, picture or single goes on with any character but a word or
regional indicator letter that directly follows a joiner.

The rule is implemented twice: here, over Arrow's buffers, and in `model.scoring.tokenizer_graph`
as a TensorFlow graph. Both give the same tokens for every Unicode text.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.config import TextConfig
from model.text.characters import CharacterClass, class_table, folding_table, unfolded_table
from model.text.protected import find_protected, join_patterns
from model.text.string_buffers import build_strings, read_strings
from model.text.tokenizer_kernel import TRANSITIONS, find_tokens, fold_slices
from model.text.tokens import Tokens

# The keys of `TextConfig` that decide which tokens a text has, and their folded form.
TOKENIZER_KEYS = ("lowercase", "nfkc", "fold_digits", "drop_html", "protected", "invisible")


class Tokenizer:
    """Splits texts into tokens by the rule of this module.

    Args:
        config: its `TOKENIZER_KEYS` are used.

    Raises:
        ConfigError: a protected pattern is not a valid RE2 expression, or it matches the empty
            text.
    """

    def __init__(self, config: TextConfig) -> None:
        self._nfkc = config.nfkc
        self._drop_html = config.drop_html
        self._pattern = join_patterns(config.protected)
        self._classes = class_table(invisible=config.invisible)
        self._transitions = TRANSITIONS[config.invisible]
        self._folding = folding_table(
            lowercase=config.lowercase, fold_digits=config.fold_digits, invisible=config.invisible
        )
        self._unfolded = unfolded_table(invisible=config.invisible)

    def tokenize(self, texts: pa.StringArray | pa.LargeStringArray) -> Tokens:
        """Finds the tokens of every text; a null has none.

        Raises:
            TypeError: `texts` is not an Arrow array of string or large_string.
            ValueError: the texts together have more than 1 GiB.
        """
        data, row_positions = read_strings(texts)
        span_starts = span_ends = np.empty(0, dtype=np.int64)
        if self._pattern:
            span_starts, span_ends = find_protected(texts, self._pattern)
        row_offsets, starts, ends, byte_starts, byte_ends, folded_bytes, folded_offsets = (
            find_tokens(
                data,
                row_positions,
                span_starts,
                span_ends,
                self._classes,
                self._unfolded if self._nfkc else self._folding,
                self._transitions,
                self._drop_html,
            )
        )
        if self._nfkc:
            normalized = self._normalize(build_strings(folded_bytes, folded_offsets))
            folded_bytes, folded_offsets = fold_slices(*read_strings(normalized), self._folding)
        return Tokens(
            row_offsets=row_offsets,
            starts=starts,
            ends=ends,
            text_bytes=data,
            byte_starts=byte_starts,
            byte_ends=byte_ends,
            folded_bytes=folded_bytes,
            folded_offsets=folded_offsets,
        )

    def fold(self, tokens: Sequence[str]) -> list[str]:
        """Folds each token. Reserved tokens must be folded before they enter the vocabulary."""
        strings = pa.array(tokens, pa.string())
        if self._nfkc:
            visible = build_strings(*fold_slices(*read_strings(strings), self._unfolded))
            strings = self._normalize(visible)
        return build_strings(*fold_slices(*read_strings(strings), self._folding)).to_pylist()

    def _normalize(self, tokens: pa.StringArray) -> pa.StringArray:
        """NFKC of every token. Python normalizes each distinct token that is not ASCII once."""
        # pyarrow's utf8_normalize cannot be used: in pyarrow 25.0, its NFKC decomposes characters
        # but does not compose them again.
        beyond_ascii = pc.invert(pc.string_is_ascii(tokens))
        if not pc.any(beyond_ascii).as_py():
            return tokens
        found = tokens.filter(beyond_ascii).dictionary_encode()
        distinct = found.dictionary.to_pylist()
        codes = np.frombuffer("".join(distinct).encode("utf-32-le"), dtype=np.uint32)
        unassigned = self._classes[codes] == CharacterClass.UNASSIGNED
        firsts = np.cumsum([0, *map(len, distinct[:-1])])
        keep = np.logical_or.reduceat(unassigned, firsts)
        normalized = [
            token if kept else unicodedata.normalize("NFKC", token)
            for token, kept in zip(distinct, keep, strict=True)
        ]
        replacements = pa.array(normalized, pa.string()).take(found.indices)
        return pc.replace_with_mask(tokens, beyond_ascii, replacements)
