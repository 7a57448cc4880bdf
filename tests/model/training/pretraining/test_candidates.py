"""Candidates differ, repeat, and are found as often as the formula says."""

import numpy as np

from model.training.pretraining.candidates import draw_candidates


def test_candidates_differ_and_repeat() -> None:
    first, again = (
        draw_candidates(np.random.default_rng((3, 1)), tokens=50, wanted=20) for _ in range(2)
    )
    assert len(set(first.ranks.tolist())) == 20
    assert first.ranks.min() >= 0
    assert first.ranks.max() < 50
    assert first.draws >= 20
    np.testing.assert_array_equal(first.ranks, again.ranks)
    assert first.draws == again.draws


def test_all_tokens_are_taken_if_there_are_no_more() -> None:
    for wanted in (7, 9):
        drawn = draw_candidates(np.random.default_rng(1), tokens=7, wanted=wanted)
        np.testing.assert_array_equal(drawn.ranks, np.arange(7))
        assert drawn.draws == np.inf


def test_a_token_is_found_as_often_as_expected() -> None:
    generator = np.random.default_rng(5)
    tokens, times = 30, 4_000
    found, expected = np.zeros(tokens), np.zeros(tokens)
    ranks = np.arange(tokens)
    share = np.log((ranks + 2) / (ranks + 1)) / np.log(tokens + 1)
    assert share.sum() == 1 or abs(share.sum() - 1) < 1e-12
    for _ in range(times):
        drawn = draw_candidates(generator, tokens=tokens, wanted=8)
        found[drawn.ranks] += 1 / times
        expected += (1 - (1 - share) ** drawn.draws) / times
    np.testing.assert_allclose(found, expected, atol=0.04)
