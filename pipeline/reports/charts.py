"""Charts as geometry: numbers in, coordinates out; `charts.html` draws them as inline SVG.

All coordinates lie in a box of `WIDTH` x `HEIGHT`. The plot area is smaller, so that there is room
for the labels of the axes. y grows downward, as in SVG.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from model.metrics.calibration import Calibration
from model.metrics.names import LOSS
from pipeline.reports.formats import count, counted, decimal, percent

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 50, 400, 14, 216
_THINNEST_BAR = 1.5  # so that a bar of one row among millions is visible

_NOT_CURVES = ("epoch", "seconds", "learning_rate")
_VALIDATION = "validation_"


@dataclasses.dataclass(frozen=True)
class Tick:
    """A position on an axis and its label."""

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Point:
    """A point of the plot and its tooltip."""

    x: float
    y: float
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A named series of points."""

    name: str
    points: Sequence[Point]

    @property
    def path(self) -> str:
        """The points joined as an SVG path, `M x y L x y ...`."""
        return "M" + " L".join(f"{point.x:.1f} {point.y:.1f}" for point in self.points)


@dataclasses.dataclass(frozen=True)
class Bar:
    """A bar of a histogram with its tooltip; `mark` is the y of a line drawn across it, if any."""

    x: float
    y: float
    width: float
    height: float
    text: str
    mark: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart to draw.

    Attributes:
        title: its caption.
        summary: a sentence that says what it shows, for those who do not see it too.
        x_name: the name of the x axis.
        x_ticks: the labels of the x axis.
        y_ticks: the labels of the y axis.
        lines: the series of a line chart.
        bars: the bars of a histogram.
        marked_x: where to draw a vertical line, and what it means.
        diagonal: whether to draw the line y = x.
    """

    title: str
    summary: str
    x_name: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    lines: Sequence[Line] = ()
    bars: Sequence[Bar] = ()
    marked_x: Tick | None = None
    diagonal: bool = False


def training_charts(
    history: Sequence[Mapping[str, float]], *, best_epoch: int | None
) -> list[Chart]:
    """One chart a metric, training and validation together.

    Values that are not finite, as in a training that diverged, are left out. A metric without a
    finite value has no chart.

    Args:
        history: a row an epoch: `epoch`, then metrics such as `loss` and `validation_loss`.
        best_epoch: the epoch whose weights were kept, to mark; None: no mark.
    """
    names = dict.fromkeys(name for row in history for name in row if name not in _NOT_CURVES)
    charts = []
    for metric in dict.fromkeys(name.removeprefix(_VALIDATION) for name in names):
        training = _finite(history, metric)
        validation = _finite(history, f"{_VALIDATION}{metric}")
        found = {"training": training, "validation": validation}
        series = {name: values for name, values in found.items() if values}
        if series:
            charts.append(_training_chart(metric, series, best_epoch))
    return charts


def _finite(history: Sequence[Mapping[str, float]], name: str) -> dict[float, float]:
    """The values of a metric by epoch."""
    return {row["epoch"]: row[name] for row in history if math.isfinite(row.get(name, math.nan))}


def _training_chart(
    metric: str, series: Mapping[str, Mapping[float, float]], best_epoch: int | None
) -> Chart:
    epochs = sorted({epoch for of_series in series.values() for epoch in of_series})
    values = [value for of_series in series.values() for value in of_series.values()]
    y_values = _nice_steps(min(values), max(values))
    x_of = _scale(min(epochs), max(epochs), LEFT + 8, RIGHT - 8)
    y_of = _scale(y_values[0], y_values[-1], BOTTOM, TOP)
    show = decimal if metric == LOSS else percent
    title = metric.replace("_", " ").replace("f1", "F1")
    changes = ", ".join(
        f"{name} from {show(of_series[min(of_series)])} to {show(of_series[max(of_series)])}"
        for name, of_series in series.items()
    )
    marked = None
    if best_epoch is not None and best_epoch in epochs:
        marked = Tick(x_of(best_epoch), f"epoch {best_epoch} was kept")
    return Chart(
        title=title[0].upper() + title[1:],
        summary=f"From epoch {count(epochs[0])} to {count(epochs[-1])}: {changes}.",
        x_name="epoch",
        x_ticks=[Tick(x_of(epoch), count(epoch)) for epoch in _few(epochs)],
        y_ticks=[Tick(y_of(value), _short(value)) for value in y_values],
        lines=[
            Line(
                name=name,
                points=[
                    Point(x_of(epoch), y_of(value), f"{name}, epoch {count(epoch)}: {show(value)}")
                    for epoch, value in of_series.items()
                ],
            )
            for name, of_series in series.items()
        ],
        marked_x=marked,
    )


def reliability_chart(calibration: Calibration) -> Chart:
    """Accuracy by confidence; the mark on each bar is its mean confidence."""
    x_of, y_of = _scale(0, 1, LEFT, RIGHT), _scale(0, 1, BOTTOM, TOP)
    bars = []
    for row in calibration["bins"]:
        accuracy, confidence = row["accuracy"], row["confidence"]
        if accuracy is None or confidence is None:
            continue
        left, right = x_of(row["lower"]), x_of(row["upper"])
        bars.append(
            Bar(
                left + 1.5,
                min(y_of(accuracy), BOTTOM - _THINNEST_BAR),
                right - left - 3,
                max(BOTTOM - y_of(accuracy), _THINNEST_BAR),
                f"{counted(row['rows'], 'prediction')}: mean probability {percent(confidence)}, "
                f"accuracy {percent(accuracy)}",
                y_of(confidence),
            )
        )
    return Chart(
        title="Reliability",
        summary="Accuracy by the probability of the predicted label. For a calibrated model both "
        "are equal, as on the diagonal. Expected calibration error: "
        f"{percent(calibration['expected_calibration_error'])}.",
        x_name="probability of the predicted label",
        x_ticks=_quarters(x_of),
        y_ticks=_quarters(y_of),
        bars=bars,
        diagonal=True,
    )


def score_chart(histogram: Sequence[int]) -> Chart:
    """Documents by the probability of their label, in equal-width bins over [0, 1]."""
    steps = _nice_steps(0, max([*histogram, 1]))
    x_of, y_of = _scale(0, 1, LEFT, RIGHT), _scale(0, steps[-1], BOTTOM, TOP)
    bins = len(histogram)
    bars = []
    for index, rows in enumerate(histogram):
        if not rows:
            continue
        left, right = x_of(index / bins), x_of((index + 1) / bins)
        height = max(BOTTOM - y_of(rows), _THINNEST_BAR)
        text = (
            f"{percent(index / bins)} to {percent((index + 1) / bins)}: {counted(rows, 'document')}"
        )
        bars.append(Bar(left + 1, BOTTOM - height, right - left - 2, height, text))
    total, sure = sum(histogram), sum(histogram[math.ceil(0.9 * bins) :])
    summary = "No documents were scored."
    if total:
        documents = counted(total, "document")
        summary = f"{percent(sure / total)} of {documents} have a probability of at least 90%."
    return Chart(
        title="Probability of the predicted label",
        summary=summary,
        x_name="probability of the predicted label",
        x_ticks=_quarters(x_of),
        y_ticks=[Tick(y_of(value), _short(value)) for value in steps],
        bars=bars,
    )


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The linear map of [low, high] to [start, end]; if low equals high, to the middle."""

    def scaled(value: float) -> float:
        if high == low:
            return (start + end) / 2
        return start + (value - low) / (high - low) * (end - start)

    return scaled


def _quarters(at: Callable[[float], float]) -> list[Tick]:
    """The ticks of an axis of shares: 0%, 25%, ... 100%."""
    return [Tick(at(quarter / 4), f"{quarter * 25}%") for quarter in range(5)]


def _nice_steps(low: float, high: float) -> list[float]:
    """About four round values that enclose [low, high]: steps of 1, 2 or 5 times a power of ten."""
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = next(size * magnitude for size in (1, 2, 5, 10) if size * magnitude >= span / 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _few(values: Sequence[float], *, limit: int = 10) -> Sequence[float]:
    """At most `limit` of the values, evenly apart."""
    return values[:: math.ceil(len(values) / limit)]


def _short(value: float) -> str:
    """An axis label: thousands separators, no trailing zeros."""
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.10g}"
