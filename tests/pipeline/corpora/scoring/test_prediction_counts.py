import pyarrow as pa

from pipeline.corpora.scoring.prediction_counts import count_predictions, filter_by_score


def test_predictions_are_counted_by_label_and_score() -> None:
    scores = [0.0, 0.049, 0.05, 0.52, 0.54, 0.999, 1.0]
    predictions = pa.record_batch(
        {
            "label": pa.array(["a", "b", "a", "a", "b", "b", "b"]),
            "score": pa.array(scores, pa.float32()),
        }
    )
    assert count_predictions(predictions) == {
        "labels": {"a": 3, "b": 4},
        "scores": {"0.00": 2, "0.05": 1, "0.50": 2, "0.95": 2},
    }


def test_predictions_below_a_score_are_counted_and_left_out() -> None:
    predictions = pa.record_batch(
        {"label": pa.array(["a", "b", "a"]), "score": pa.array([0.4, 0.5, 0.9], pa.float32())}
    )
    assert filter_by_score(predictions, 0.5).column("label").to_pylist() == ["b", "a"]
    assert filter_by_score(predictions, 0) == predictions
    counts = count_predictions(predictions, min_score=0.5)
    assert counts["below_min_score"] == 1
    assert counts["labels"] == {"a": 2, "b": 1}
