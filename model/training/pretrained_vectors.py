"""Pretrained word vectors in text formats -> an embedding matrix.

GloVe's format is a word and its numbers a line; word2vec's has a line
`words units` before that. Some published GloVe files hold words with spaces, so
the numbers are counted from the end of a line.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from model.config import ConfigError, EmbeddingConfig
from model.text.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vectors:
    """Pretrained vectors for a vocabulary.

    Attributes:
        matrix: float32 `(ids, units)`; row 0, the padding, is 0.
        found: how many of the vocabulary's tokens the file has.
    """

    matrix: np.ndarray
    found: int


def read_vectors(
    lines: Iterable[bytes],
    vocabulary: Vocabulary,
    *,
    config: EmbeddingConfig,
    seed: int,
    where: str,
) -> Vectors:
    """Reads the vectors of a vocabulary's tokens.

    Args:
        lines: of the file, in UTF-8; the first vector of a word counts.
        vocabulary: its tokens are matched in their folded form.
        config: the width that the network expects, and the range of the rows that are drawn:
            of tokens that the file does not have, and of unknown ones.
        seed: for those rows.
        where: what the file is called in messages.

    Raises:
        ConfigError: for a line that is no vector of `units` numbers, by its number; for a file
            without a word of the vocabulary.
    """
    generator = np.random.default_rng(seed)
    drawn = config.initial_range
    matrix = generator.uniform(-drawn, drawn, (vocabulary.size, config.units))
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
            "Check that the file is of the corpus's language, and as its text is folded "
            "(text.lowercase)."
        )
    return Vectors(matrix=matrix.astype(np.float32), found=len(found))


def check_width(lines: Iterable[bytes], *, units: int, where: str) -> None:
    """Raises `ConfigError` if the first vector of a file is not `units` wide."""
    next(_vector_lines(lines, units=units, where=where), None)


def _vector_lines(
    lines: Iterable[bytes], *, units: int, where: str
) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """Yields `(line number, word, numbers)`; a word2vec header is checked and left out.

    The first line of one word and numbers alone says how wide the file is: later, a word may have
    spaces, and numbers between them.
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
                "mend the line."
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
    return True


def _parse(numbers: list[bytes], *, number: int, where: str) -> np.ndarray:
    try:
        vector = np.array(numbers, dtype=np.float64)
    except ValueError as error:
        raise ConfigError(
            f"{where}, line {number}: expected {len(numbers)} numbers, got {error}. Mend the line."
        ) from None
    if not np.isfinite(vector).all():
        raise ConfigError(
            f"{where}, line {number}: expected finite numbers, got inf or nan. Mend the line."
        )
    return vector
