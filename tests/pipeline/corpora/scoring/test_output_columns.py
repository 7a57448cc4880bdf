import pyarrow as pa
import pytest

from pipeline.config.sections import OutputConfig
from pipeline.corpora.scoring.output_columns import column_prefixes, limit_attention
from tests.pipeline.corpora.scoring.scored_batches import fixed_scorer


def test_columns_of_further_models_are_named_after_them() -> None:
    assert column_prefixes(["demo/1", "de-tox/12", "2nd/1"]) == [
        "demo_v1_",
        "de_tox_v12_",
        "_2nd_v1_",
    ]


def test_the_most_attended_tokens_stay_in_the_order_of_the_text() -> None:
    scorer = fixed_scorer([0.1, 0.4, 0.2, 0.3, 1.0, 0.5, 0.5])
    columns, _ = scorer.score(pa.array(["a b c d", "e", "f g"]))
    one = limit_attention(columns, OutputConfig(attention="top_k", top_k=1))
    assert one["tokens"].to_pylist() == [["b"], ["e"], ["f"]]
    three = limit_attention(columns, OutputConfig(attention="top_k", top_k=3))
    assert three["tokens"].to_pylist() == [["b", "c", "d"], ["e"], ["f", "g"]]
    assert three["attention"][0].as_py() == pytest.approx([0.4, 0.2, 0.3])
    assert three["token_starts"][0].as_py() == [2, 4, 6]
    assert three["token_ends"][0].as_py() == [3, 5, 7]
    assert three["token_count"].to_pylist() == [4, 1, 2]
