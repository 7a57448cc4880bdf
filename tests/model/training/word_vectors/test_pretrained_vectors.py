"""Pretrained vectors: both text formats, coverage, and lines that are wrong."""

import numpy as np
import pytest

from model.config import ConfigError, EmbeddingConfig
from model.text.vocabulary import Vocabulary
from model.training.word_vectors.pretrained_vectors import read_pretrained_vectors

VOCABULARY = Vocabulary(["the", "film", "naïve", "absent"], oov_buckets=1)
GLOVE = ["the 1 2 3", "film 0.5 -1e-3 4", "unknown 7 8 9", "naïve 1 1 1", "the 9 9 9"]


def _read(lines, **changes):
    config = EmbeddingConfig(units=3, initial_range=0.2)
    given = {"config": config, "seed": 1, "where": "vectors.txt", **changes}
    return read_pretrained_vectors((line.encode() for line in lines), VOCABULARY, **given)


@pytest.mark.parametrize("header", [[], ["5 3"]])
def test_words_of_the_vocabulary_get_their_vectors(header):
    vectors = _read([*header, *GLOVE])
    assert vectors.found == 3
    assert vectors.matrix.shape == (6, 3)
    assert vectors.matrix.dtype == np.float32
    np.testing.assert_allclose(
        vectors.matrix[[0, 2, 3, 4]], [[0, 0, 0], [1, 2, 3], [0.5, -0.001, 4], [1, 1, 1]]
    )


def test_other_rows_are_small_and_follow_from_the_seed():
    matrix = _read(GLOVE).matrix
    for row in (1, 5):  # unknown tokens, and the token that is absent
        assert 0 < np.abs(matrix[row]).max() <= 0.2
    np.testing.assert_array_equal(matrix, _read(GLOVE).matrix)
    assert not np.array_equal(matrix[5], _read(GLOVE, seed=2).matrix[5])


def test_a_word_may_contain_spaces():
    assert _read([". . . 1 2 3", "the 4 5 6"]).found == 1


def test_line_ends_of_windows_are_ignored():
    np.testing.assert_allclose(_read(["the 1 2 3\r\n"]).matrix[2], [1, 2, 3])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["the 1 2 3", "film 1 2"], r"vectors.txt, line 2: expected a word and 3 numbers, got 3"),
        (["the 1 x 3"], r"vectors.txt, line 1: expected 3 numbers"),
        (["the 1 2_0 3"], r"vectors.txt, line 1: expected 3 numbers, got '2_0'"),
        (["the 1 nan 3"], r"vectors.txt, line 1: expected finite numbers"),
        (["2 5", "the 1 2 3"], r"vectors.txt: expected vectors of 3 units, got 5"),
        ([""], r"vectors.txt, line 1: expected a word"),
        (["the 1 2 3 4"], r"vectors.txt, line 1: expected 3 numbers, got 4. Pass --set .*units=4"),
        (["other 1 2 3"], r"vectors.txt: expected vectors of the vocabulary's 4 tokens, got none"),
    ],
)
def test_an_error_names_the_line(lines, message):
    with pytest.raises(ConfigError, match=message):
        _read(lines)
