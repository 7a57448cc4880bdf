"""Windows over long documents read every token, and the attention weights still sum to 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ResolvedTextConfig
from model.folded.engine import FoldedEngine
from model.scoring.engine_scorer import EngineScorer
from model.text.windows import LEAST_EVIDENCE, cut_windows, join_windows, measure_evidence
from tests.model.bundles import NETWORK, make_bundle, texts_array


def offsets(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8), max_tokens=st.integers(1, 20))
def test_windows_cover_every_token_of_their_own_document_only(lengths, max_tokens):
    row_offsets = offsets(lengths)
    windows = cut_windows(row_offsets, max_tokens=max_tokens)
    assert set(windows.tokens) == set(range(sum(lengths)))
    row_of_token = np.repeat(np.arange(len(lengths)), lengths)
    for number, row in enumerate(windows.rows):
        own = windows.tokens[windows.row_offsets[number] : windows.row_offsets[number + 1]]
        assert len(own) == min(lengths[row], max_tokens)
        assert (np.diff(own) == 1).all()
        assert (row_of_token[own] == row).all()


@given(length=st.integers(1, 10**6), max_tokens=st.integers(1, 1_000))
def test_a_long_text_is_read_at_most_three_times(length, max_tokens):
    read = len(cut_windows(offsets([length]), max_tokens=max_tokens).tokens)
    assert read <= 3 * length + 2 * max_tokens
    if max_tokens % 2 == 0:
        assert read <= 2 * length + 2 * max_tokens


def test_each_window_begins_half_a_window_after_the_one_before():
    windows = cut_windows(offsets([3, 9]), max_tokens=4)
    parts = np.split(windows.tokens, windows.row_offsets[1:-1])
    assert [part.tolist() for part in parts] == [
        [0, 1, 2],
        [3, 4, 5, 6],
        [5, 6, 7, 8],
        [7, 8, 9, 10],
        [8, 9, 10, 11],
    ]
    assert windows.rows.tolist() == [0, 1, 1, 1, 1]


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    max_tokens=st.integers(1, 20),
    exclusive=st.booleans(),
    seed=st.integers(0, 99),
)
def test_joined_results_are_weighted_means(lengths, max_tokens, exclusive, seed):
    random = np.random.default_rng(seed)
    row_offsets = offsets(lengths)
    windows = cut_windows(row_offsets, max_tokens=max_tokens)
    probabilities = random.dirichlet([0.3] * 3, len(windows.rows)).astype(np.float32)
    attention = np.concatenate(
        [random.dirichlet(np.ones(size)) for size in np.diff(windows.row_offsets)]
    ).astype(np.float32)
    joined, weights = join_windows(windows, probabilities, attention, exclusive=exclusive)
    np.testing.assert_allclose(joined.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.add.reduceat(weights, row_offsets[:-1]), 1, atol=1e-5)
    assert (weights >= 0).all()
    # The formula, one document at a time.
    evidence = measure_evidence(probabilities, exclusive=exclusive)
    for row in range(len(lengths)):
        own = np.flatnonzero(windows.rows == row)
        shares = evidence[own] / evidence[own].sum()
        np.testing.assert_allclose(joined[row], shares @ probabilities[own], atol=1e-6)
        if len(own) == 1:
            start, stop = windows.row_offsets[own[0] : own[0] + 2]
            np.testing.assert_array_equal(joined[row], probabilities[own[0]])
            np.testing.assert_array_equal(
                weights[row_offsets[row] : row_offsets[row + 1]], attention[start:stop]
            )


def test_evidence_is_the_distance_from_uniform_probabilities():
    answers = np.array([[0.5, 0.5], [0.9, 0.1], [1, 0]], np.float32)
    unknown, likely, certain = measure_evidence(answers, exclusive=True)
    assert unknown == pytest.approx(LEAST_EVIDENCE)
    assert likely == pytest.approx(0.3681, abs=1e-3)
    assert certain == pytest.approx(np.log(2), abs=1e-5)
    alone = measure_evidence(np.array([[0.5, 0.5], [1, 0]], np.float32), exclusive=False)
    np.testing.assert_allclose(alone, [LEAST_EVIDENCE, 2 * np.log(2)], atol=2e-6)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "1"
    return make_bundle(
        folder, text=ResolvedTextConfig(max_tokens=4, vocabulary_size=8), network=NETWORK
    )


def test_a_document_longer_than_max_tokens_is_read_to_its_end(bundle):
    engine = FoldedEngine(bundle.read_weights(), bundle.config.network)
    text = "the film was good . the film was bad . " * 3
    texts = texts_array([text, "good", " ", "the film was good"])
    batch, scored = EngineScorer(bundle, engine, long_documents="windows").score(texts)
    assert scored.tolist() == [True, True, False, True]
    long, *short = batch.to_pylist()
    assert (long["token_count"], long["truncated_tokens"]) == (30, 0)
    assert len(long["tokens"]) == len(long["attention"]) == 30
    spans = zip(long["token_starts"], long["token_ends"], strict=True)
    assert [text[start:end] for start, end in spans] == long["tokens"]
    assert sum(long["attention"]) == pytest.approx(1, abs=1e-5)
    assert sum(long["probabilities"]) == pytest.approx(1, abs=1e-5)
    cut, _ = EngineScorer(bundle, engine).score(texts)
    assert cut.column("truncated_tokens").to_pylist() == [26, 0, 0]
    assert short == cut.to_pylist()[1:]  # documents that fit have the same results, to the bit
