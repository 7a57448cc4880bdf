"""The engine `tensorflow` gives what the folded engine gives."""

import numpy as np
import pytest

from model.bundle.errors import BundleError
from model.config import ConfigError
from model.scoring.loading import load_scorer
from tests.model.bundles import make_bundle, texts_array

TEXTS = [
    "The film was good.",
    "",
    "bad",
    "the the the the the the the the bad",  # longer than max_tokens
    "很好 unknown 👍🏽 مرحبا Don't",
    " \u3000",
    "a\x00b It was GOOD.",
]


def test_the_engine_gives_what_the_folded_one_gives(served):
    graph, graph_rows = load_scorer(served, engine="tensorflow").score(texts_array(TEXTS))
    folded, folded_rows = load_scorer(served, engine="folded").score(texts_array(TEXTS))
    np.testing.assert_array_equal(graph_rows, folded_rows)
    assert graph.schema == folded.schema
    for name in folded.schema.names:
        if name in ("probabilities", "attention", "contributions"):
            one, other = (column.column(name).flatten() for column in (graph, folded))
            np.testing.assert_allclose(one, other, atol=1e-5)
        elif name in ("score", "contributions_rest"):
            one, other = graph.column(name), folded.column(name)
            np.testing.assert_allclose(one, other, atol=1e-5)
        else:
            assert graph.column(name) == folded.column(name), name


@pytest.mark.parametrize("texts", [[], [""]])
def test_nothing_to_score(served, texts):
    batch, scored = load_scorer(served, engine="tensorflow").score(texts_array(texts))
    assert batch.num_rows == scored.sum() == 0


def test_a_model_without_a_saved_model_is_refused(tmp_path):
    bundle = make_bundle(tmp_path / "1")
    with pytest.raises(BundleError, match="serving: expected a SavedModel"):
        load_scorer(bundle, engine="tensorflow")


def test_reading_in_windows_is_refused(served):
    with pytest.raises(ConfigError, match=r"scoring\.engine: expected folded, keras or auto"):
        load_scorer(served, engine="tensorflow", long_documents="windows")
