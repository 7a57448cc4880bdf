from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.config import TextConfig
from model.text.string_buffers import read_strings
from model.text.tokenizer import Tokenizer
from model.text.tokens import Tokens
from model.text.vocabulary import PAD, Vocabulary
from model.text.vocabulary_kernel import ABSENT, FNV_BASIS, build_slots, hash_tokens, look_up

# Every run of characters between spaces is one token.
WHOLE = Tokenizer(TextConfig(lowercase=False, protected=(r"[^ ]+",)))


def tokens_of(*rows: str) -> Tokens:
    return WHOLE.tokenize(pa.array(rows, pa.string()))


def test_ids_are_padding_then_buckets_then_tokens() -> None:
    vocabulary = Vocabulary(["<e1>", "the", "a"], oov_buckets=3)
    assert (PAD, vocabulary.first_token_id, vocabulary.size) == (0, 4, 7)
    ids = vocabulary.encode(tokens_of("a the", "", "<e1> <e1>"))
    assert ids.tolist() == [6, 5, 4, 4]
    assert ids.dtype == np.int32


def test_one_bucket_takes_all_unknown_tokens() -> None:
    vocabulary = Vocabulary(["the"], oov_buckets=1)
    tokens = tokens_of("the THE", "", "th thee x the")
    ids = vocabulary.encode(tokens)
    assert ids.tolist() == [2, 1, 1, 1, 1, 2]
    assert vocabulary.is_oov(ids).tolist() == [False, True, True, True, True, False]
    assert vocabulary.count_oov(ids, tokens.row_offsets).tolist() == [1, 0, 3]
    padded = np.array([[2, 1], [PAD, PAD]])
    assert vocabulary.is_oov(padded).tolist() == [[False, True], [False, False]]


def test_prefixes_and_extensions_of_a_token_are_unknown() -> None:
    # In a table of eight slots, many of these have the slot of the known token.
    others = [f"token{number}" for number in range(100)] + ["t", "to", "tok", "toke", "Token"]
    ids = Vocabulary(["token"], oov_buckets=1).encode(tokens_of(" ".join(["token", *others])))
    assert ids.tolist() == [2] + [1] * len(others)


def test_buckets_never_change() -> None:
    # Computed with tf.strings.to_hash_bucket_strong and the same key.
    tokens = tokens_of("a the seven77 eight888 nine99999 sixteen_16161616 é 日本語 🇺🇸")
    ids = Vocabulary([], oov_buckets=1000).encode(tokens)
    assert ids.tolist() == [604, 862, 170, 935, 79, 881, 873, 400, 190]


def words(exclude: str) -> st.SearchStrategy[str]:
    characters = st.characters(exclude_characters=exclude, exclude_categories=["Cs"])
    return st.text(characters, min_size=1)


@settings(deadline=None)
@given(
    known=st.lists(words(exclude=" \n\r")),
    unknown=st.lists(words(exclude=" ")),
    oov_buckets=st.integers(1, 5),
)
@example([f"token{number}" for number in range(3000)], ["token", "token3000"], 2)
def test_encode_equals_a_dictionary(known: list[str], unknown: list[str], oov_buckets: int) -> None:
    # Folding leaves nothing of a token of invisible characters.
    distinct = [token for token in dict.fromkeys(WHOLE.fold(known)) if token]
    vocabulary = Vocabulary(distinct, oov_buckets=oov_buckets)
    expected = {token: 1 + oov_buckets + index for index, token in enumerate(vocabulary.tokens)}
    tokens = tokens_of(" ".join(known), " ".join(unknown))
    folded = [token for row in tokens.folded().to_pylist() for token in row]
    for token, token_id in zip(folded, vocabulary.encode(tokens), strict=True):
        if token in expected:
            assert token_id == expected[token]
        else:
            assert 1 <= token_id <= oov_buckets


def test_buckets_are_used_evenly() -> None:
    tokens = tokens_of(" ".join(f"token{number}" for number in range(8000)))
    ids = Vocabulary([], oov_buckets=8).encode(tokens)
    counts = np.bincount(ids, minlength=9)
    assert counts[0] == 0
    assert (abs(counts[1:] - 1000) < 150).all()  # 5 standard deviations


def test_file_has_one_token_a_line(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    tokens = ["<e1>", "the", "日本", "é", "new york", "\x0b\x1c\u2028", "a\ufeff"]
    Vocabulary(tokens, oov_buckets=2).to_file(path)
    assert path.read_bytes() == ("\n".join(tokens) + "\n").encode()
    read = Vocabulary.from_file(path, oov_buckets=2)
    assert read.tokens == tuple(tokens)
    assert read.size == 10


@pytest.mark.parametrize(
    ("content", "expected"), [(b"", ()), (b"a\nb", ("a", "b")), (b"a\n", ("a",))]
)
def test_reads_files_with_and_without_a_last_line_break(
    tmp_path: Path, content: bytes, expected: tuple[str, ...]
) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    assert Vocabulary.from_file(path, oov_buckets=1).tokens == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a\n\nb\n", "line 2: expected a token without line breaks, got ''"),
        (b"a\r\n", r"line 1: expected a token without line breaks, got 'a\\r'"),
        (b"a\nb\na\n", "line 3: expected a token that occurs once, got 'a', .* also on line 1"),
        (b"a\n\xff\n", "can't decode byte 0xff"),
    ],
)
def test_refuses_a_damaged_file(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"vocabulary\.txt: .*{complaint}"):
        Vocabulary.from_file(path, oov_buckets=1)


def test_refuses_zero_buckets() -> None:
    with pytest.raises(ValueError, match="oov_buckets: expected an integer >= 1, got 0"):
        Vocabulary(["a"], oov_buckets=0)


def test_tokens_that_were_chosen_to_collide_do_not_with_a_random_hash() -> None:
    candidates = pa.array([f"{number:x}" for number in range(1 << 20)])
    hashes = hash_tokens(*read_strings(candidates))
    data, offsets = read_strings(candidates.filter(pa.array(hashes % 4096 == 0)))
    longest = {}
    for basis in (FNV_BASIS, 1):
        slots = build_slots(data, offsets, np.uint64(basis))
        free = np.flatnonzero(slots == ABSENT)
        longest[basis] = int(np.diff(free, prepend=-1).max()) - 1
        ids = look_up(data, offsets, data, offsets, slots, np.uint64(basis), 1)
        assert ids.tolist() == list(range(2, len(offsets) + 1))
    assert longest[FNV_BASIS] > 200  # a search goes through all of them
    assert longest[1] < 30
    several = {Vocabulary(["a", "b"], oov_buckets=1)._basis for _ in range(3)}
    assert len(several) == 3
