import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from model.config import ConfigError, TextConfig
from model.scoring.tokenizer_graph import TokenizerGraph
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from tests.model.text.tokenizer_reference import PIECES, PROTECTED, texts

SWITCHES = ("lowercase", "nfkc", "fold_digits", "drop_html")
CONFIGS = [
    TextConfig(**dict(zip(SWITCHES, values, strict=True)), protected=protected)
    for values in itertools.product([False, True], repeat=len(SWITCHES))
    for protected in ((), PROTECTED)
]
CONFIGS += [
    TextConfig(invisible="keep"),
    TextConfig(invisible="keep", nfkc=True, drop_html=True, protected=PROTECTED),
]
EVERYTHING = TextConfig(nfkc=True, fold_digits=True, drop_html=True, protected=PROTECTED)


def vocabulary_for(config: TextConfig) -> Vocabulary:
    """Half of what the pieces of the test texts are folded to; the rest is unknown."""
    folded = dict.fromkeys(Tokenizer(config).fold([piece for piece in PIECES if piece.strip()]))
    return Vocabulary([token for token in folded if token.strip()][::2], oov_buckets=3)


@functools.cache
def twins(config: TextConfig) -> tuple[Tokenizer, Vocabulary, TokenizerGraph]:
    vocabulary = vocabulary_for(config)
    return Tokenizer(config), vocabulary, TokenizerGraph(config, vocabulary)


@pytest.fixture
def untraced() -> Iterator[None]:
    """Graphs run operation by operation: to trace one takes longer than to test it."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def kernel_columns(batch: list[str], tokenizer: Tokenizer, vocabulary: Vocabulary) -> dict:
    tokens = tokenizer.tokenize(pa.array(batch, pa.string()))
    columns = {
        "surfaces": tokens.surfaces(),
        "folded": tokens.folded(),
        "starts": tokens.by_row(tokens.starts),
        "ends": tokens.by_row(tokens.ends),
        "ids": tokens.by_row(vocabulary.encode(tokens)),
    }
    return {name: column.to_pylist() for name, column in columns.items()}


def graph_columns(batch: list[str] | list[bytes], graph: TokenizerGraph) -> dict:
    columns = {
        name: column.to_list() for name, column in graph(tf.constant(batch, tf.string)).items()
    }
    for name in ("surfaces", "folded"):
        columns[name] = [[token.decode() for token in row] for row in columns[name]]
    return columns


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("config", CONFIGS)
def test_graph_equals_kernel_under_all_options(config: TextConfig) -> None:
    neighbors = ["".join(first + second for second in PIECES) for first in PIECES[::3]]
    batch = ["".join(PIECES), " ".join(PIECES), "".join(reversed(PIECES)), "", *neighbors]
    tokenizer, vocabulary, graph = twins(config)
    assert graph_columns(batch, graph) == kernel_columns(batch, tokenizer, vocabulary)


@pytest.mark.usefixtures("untraced")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(texts(), max_size=20), config=st.sampled_from(CONFIGS))
@example(batch=[], config=EVERYTHING)
@example(batch=["", "\0", ""], config=EVERYTHING)
def test_graph_equals_kernel(batch: list[str], config: TextConfig) -> None:
    tokenizer, vocabulary, graph = twins(config)
    assert graph_columns(batch, graph) == kernel_columns(batch, tokenizer, vocabulary)


def test_survives_a_saved_model(tmp_path: Path) -> None:
    batch = ["İST <e1>New\tYork</e1><br/>ﬁ 42 ς.", "", "@you 👩‍🚀🇺🇸 日本\0"]
    vocabulary = vocabulary_for(EVERYTHING)
    expected = kernel_columns(batch, Tokenizer(EVERYTHING), vocabulary)
    graph = TokenizerGraph(EVERYTHING, vocabulary)
    assert graph_columns(batch, graph) == expected
    tf.saved_model.save(graph, str(tmp_path))
    assert graph_columns(batch, tf.saved_model.load(str(tmp_path))) == expected


def test_output_is_ragged_over_the_batch() -> None:
    columns = TokenizerGraph(TextConfig(), Vocabulary([], oov_buckets=1))(tf.constant(["a b", ""]))
    assert {name: column.dtype for name, column in columns.items()} == {
        "surfaces": tf.string,
        "folded": tf.string,
        "starts": tf.int32,
        "ends": tf.int32,
        "ids": tf.int32,
    }
    assert all(column.shape.as_list() == [2, None] for column in columns.values())
    assert columns["ids"].to_list() == [[1, 1], []]


@pytest.mark.parametrize("config", [TextConfig(), EVERYTHING])
def test_bytes_that_are_not_utf8_read_as_replacements(config: TextConfig) -> None:
    graph = TokenizerGraph(config, Vocabulary(["a"], oov_buckets=1))
    broken = [b"a\xffb", b"\xfe@you\xf0\x9f\x98", b"\xe2\x82", b"\x80<e1>\xc3", b"\xed\xa0\x80"]
    repaired = [text.decode(errors="replace") for text in broken]
    repaired[4] = tf.strings.unicode_transcode(broken[4], "UTF-8", "UTF-8").numpy().decode()
    assert graph_columns(broken, graph) == graph_columns(repaired, graph)


def test_refuses_bad_patterns() -> None:
    with pytest.raises(ConfigError, match=r"text\.protected"):
        TokenizerGraph(TextConfig(protected=("(",)), Vocabulary([], oov_buckets=1))
