from typing import Literal

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


@pytest.mark.parametrize("attention", ["full", "top_k", "none"])
def test_contributions_of_tokens_that_are_left_out_are_in_the_rest(
    attention: Literal["full", "top_k", "none"],
) -> None:
    columns, _ = fixed_scorer([0.1, 0.4, 0.2, 0.3, 1.0, 0.5, 0.5]).score(
        pa.array(["a b c d", "e", "f g"])
    )
    contributions = pa.array([[1.0, 2, 3, 4], [5], [6, 7]], pa.list_(pa.float32()))
    rest = pa.array([10.0, 20, 30], pa.float32())
    columns = columns.append_column("contributions", contributions)
    columns = columns.append_column("contributions_rest", rest)
    limited = limit_attention(columns, OutputConfig(attention=attention, top_k=1))
    kept, left = {
        "full": ([[1, 2, 3, 4], [5], [6, 7]], [10, 20, 30]),
        "top_k": ([[2], [5], [6]], [18, 20, 37]),
        "none": ([[], [], []], [20, 25, 43]),
    }[attention]
    assert limited["contributions"].to_pylist() == kept
    assert limited["contributions_rest"].to_pylist() == left
    assert limited["contributions_rest"].type == pa.float32()
