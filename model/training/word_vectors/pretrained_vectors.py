"""Reads pretrained word vectors from a text file into an embedding matrix.

In GloVe's format a line is a word and its numbers; word2vec's format has one more line at the
beginning, `words units`. Some published GloVe files have words that contain spaces, so the
numbers are counted from the end of a line.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from model.config import ConfigError, EmbeddingConfig
from model.text.vocabulary import Vocabulary

_OF_NUMBERS = b"0123456789+-.eE"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainedVectors:
    """The pretrained vectors of a vocabulary's tokens.

    Attributes:
        matrix: float32 `(ids, units)`; row 0, the padding, is 0.
        found: how many of the vocabulary's tokens are in the file.
    """

    matrix: np.ndarray
    found: int


def read_pretrained_vectors(
    lines: Iterable[bytes],
    vocabulary: Vocabulary,
    *,
    config: EmbeddingConfig,
    seed: int,
    where: str,
) -> PretrainedVectors:
    """Reads the vectors of a vocabulary's tokens.

    Args:
        lines: of the file, in UTF-8. If a word has several vectors, the first one is used.
        vocabulary: its tokens are matched in their folded form.
        config: the width that the network expects, and the range of the random rows: those of
            tokens that are not in the file, and of unknown ones.
        seed: for the random rows.
        where: the name of the file in messages.

    Raises:
        ConfigError: if a line is not a word and `units` numbers (the message has the line's
            number), or if the file has no word of the vocabulary.
    """
    generator = np.random.default_rng(seed)
    limit = config.initial_range
    matrix = generator.uniform(-limit, limit, (vocabulary.size, config.units))
    matrix[0] = 0
    ids = {
        token.encode(): vocabulary.first_token_id + index
        for index, token in enumerate(vocabulary.tokens)
    }
    found: set[int] = set()
    for number, word, numbers in _vector_lines(lines, units=config.units, where=where):
        row = ids.get(word)
        if row is not None and row not in found:
            matrix[row] = _parse(numbers, number=number, where=where)
            found.add(row)
    if not found:
        raise ConfigError(
            f"{where}: expected vectors of the vocabulary's {len(ids):,} tokens, got none of them. "
            "Check that the file is in the corpus's language, and that its words are in lower case "
            "if text.lowercase is true."
        )
    return PretrainedVectors(matrix=matrix.astype(np.float32), found=len(found))


def read_words(lines: Iterable[bytes], *, units: int, where: str) -> list[str]:
    """The words that can be tokens of a vocabulary, in their order.

    Raises:
        ConfigError: as `read_pretrained_vectors` does.
    """
    words = []
    for _, line, _ in _vector_lines(lines, units=units, where=where):
        word = line.decode(errors="replace")
        if word and "\ufffd" not in word and "\r" not in word:
            words.append(word)
    return words


def check_vectors(lines: Iterable[bytes], *, units: int, where: str) -> None:
    """Finds a bad line before hours of work: one without a word, or without so many numbers.

    Only numbers with characters other than digits, signs, dots and e are parsed, as parsing all
    would take ten times as long. Training still refuses what is none of them, such as 1-2.

    Raises:
        ConfigError: if a line is not a word and `units` numbers, or if there is none.
    """
    number = 0
    for number, _, numbers in _vector_lines(lines, units=units, where=where):
        if b"".join(numbers).translate(None, _OF_NUMBERS):
            _parse(numbers, number=number, where=where)
    if not number:
        raise ConfigError(
            f"{where}: expected lines of a word and {units} numbers, got none. Check "
            "network.embedding.vectors, or make a file with: limelight vectors --help."
        )


def _vector_lines(
    lines: Iterable[bytes], *, units: int, where: str
) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """Yields `(line number, word, numbers)`; a word2vec header is checked and left out.

    The width of the file is checked at the first line that is one field and then only numbers.
    Other lines do not show the width, because a word may contain spaces, and numbers between them.
    """
    checked = False
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip().split(b" ")
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            if int(fields[1]) != units:
                raise ConfigError(
                    f"{where}: expected vectors of {units} units, got {int(fields[1])}. "
                    f"Pass --set network.embedding.units={int(fields[1])}."
                )
            continue
        if len(fields) <= units:
            raise ConfigError(
                f"{where}, line {number}: expected a word and {units} numbers, got "
                f"{len(fields)} fields. Set network.embedding.units to the file's width or "
                "correct the line."
            )
        if not checked and all(map(_is_number, fields[1:])):
            checked = True
            if len(fields) != units + 1:
                raise ConfigError(
                    f"{where}, line {number}: expected {units} numbers, got {len(fields) - 1}. "
                    f"Pass --set network.embedding.units={len(fields) - 1}."
                )
        yield number, b" ".join(fields[:-units]), fields[-units:]


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _parse(numbers: list[bytes], *, number: int, where: str) -> np.ndarray:
    wrong = [field for field in numbers if b"_" in field]  # Python and NumPy read 1_0 as 10
    if wrong:
        raise ConfigError(
            f"{where}, line {number}: expected {len(numbers)} numbers, got "
            f"{wrong[0].decode(errors='replace')!r}. Correct the line."
        )
    try:
        vector = np.array(numbers, dtype=np.float64)
    except ValueError as error:
        raise ConfigError(
            f"{where}, line {number}: expected {len(numbers)} numbers, got {error}. "
            "Correct the line."
        ) from None
    if not np.isfinite(vector).all():
        raise ConfigError(
            f"{where}, line {number}: expected finite numbers, got inf or nan. Correct the line."
        )
    return vector
