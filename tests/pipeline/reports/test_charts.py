"""Charts: every value is drawn at its position on the axis."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.metrics.calibration import measure_calibration
from pipeline.reports.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Chart,
    reliability_chart,
    score_chart,
    training_charts,
)

finite = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


def assert_inside(chart: Chart) -> None:
    for line in chart.lines:
        for point in line.points:
            assert LEFT <= point.x <= RIGHT
            assert TOP - 1e-6 <= point.y <= BOTTOM + 1e-6
    for bar in chart.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= RIGHT
        assert TOP - 1e-6 <= bar.y <= bar.y + bar.height <= BOTTOM + 1e-6
    for ticks in (chart.x_ticks, chart.y_ticks):
        assert len({tick.text for tick in ticks}) == len(ticks) <= 11


def value_at(chart: Chart, y: float) -> float:
    """The value at a height, by the labels of the axis."""
    low, high = chart.y_ticks[0], chart.y_ticks[-1]
    bottom, top = (float(tick.text.replace(",", "")) for tick in (low, high))
    return bottom + (y - low.at) / (high.at - low.at) * (top - bottom)


def test_training_curves_stand_where_their_axis_says():
    history = [
        {"epoch": 1.0, "loss": 0.9, "validation_loss": 1.1, "validation_f1": 0.5, "seconds": 9.0},
        {"epoch": 2.0, "loss": 0.4, "validation_loss": 0.6, "validation_f1": 0.8, "seconds": 9.0},
    ]
    loss, f1 = training_charts(history, best_epoch=2)
    assert (loss.title, f1.title) == ("Loss", "F1")
    assert loss.summary == (
        "From epoch 1 to 2: training from 0.900 to 0.400, validation from 1.100 to 0.600."
    )
    assert [line.name for line in loss.lines] == ["training", "validation"]
    assert [line.name for line in f1.lines] == ["validation"]
    for line, values in zip(loss.lines, ([0.9, 0.4], [1.1, 0.6]), strict=True):
        assert [value_at(loss, point.y) for point in line.points] == pytest.approx(values)
    assert loss.marked_x is not None
    assert loss.marked_x.at == loss.lines[0].points[1].x
    assert loss.lines[0].path.count("L") == 1


@given(st.lists(finite, min_size=1, max_size=60))
@example([999_668.0, 999_667.0])  # the steps of the axis are smaller than 1
def test_any_training_fits_its_chart(losses):
    history = [{"epoch": float(e), "loss": loss} for e, loss in enumerate(losses, 1)]
    (chart,) = training_charts(history, best_epoch=None)
    assert_inside(chart)
    assert chart.marked_x is None


def test_a_training_that_diverged_is_still_drawn():
    history = [
        {"epoch": 1.0, "loss": 0.9, "validation_loss": math.nan},
        {"epoch": 2.0, "loss": math.inf, "validation_loss": math.nan},
        {"epoch": 3.0, "loss": 0.8, "validation_loss": math.nan},
    ]
    (chart,) = training_charts(history, best_epoch=2)
    (line,) = chart.lines
    assert [point.text for point in line.points] == [
        "training, epoch 1: 0.900",
        "training, epoch 3: 0.800",
    ]
    assert chart.marked_x is None
    assert training_charts([{"epoch": 1.0, "loss": math.nan}], best_epoch=1) == []
    assert training_charts([], best_epoch=None) == []


def test_reliability_bars_reach_their_accuracy():
    right = [True] * 3 + [False] * 2
    chart = reliability_chart(measure_calibration([0.75] * 4 + [0.95], right))
    assert_inside(chart)
    middle, high = chart.bars
    assert (BOTTOM - middle.y) / (BOTTOM - TOP) == pytest.approx(0.75)
    assert middle.mark == pytest.approx(middle.y)  # mean probability and accuracy are equal
    assert high.height == pytest.approx(1.5)  # accuracy 0, but visible
    assert high.text == "1 prediction: mean probability 95.0%, accuracy 0%"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_score_bars_are_proportional_and_none_is_lost(histogram):
    chart = score_chart(histogram)
    assert_inside(chart)
    assert len(chart.bars) == sum(rows > 0 for rows in histogram)
    tallest = max(histogram)
    for bar, rows in zip(chart.bars, (rows for rows in histogram if rows), strict=True):
        if bar.height > 1.5:
            assert value_at(chart, bar.y) == pytest.approx(rows)
        else:
            assert rows < tallest or tallest == 0


def test_score_summary():
    assert score_chart([0] * 10).summary == "No documents were scored."
    assert (
        score_chart([1] * 9 + [3]).summary
        == "25.0% of 12 documents have a probability of at least 90%."
    )
    assert (
        score_chart([1] * 18 + [1, 2]).summary
        == "14.3% of 21 documents have a probability of at least 90%."
    )
