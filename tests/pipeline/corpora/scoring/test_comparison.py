import pytest

from model.config import ConfigError
from pipeline.corpora.scoring.comparison import Gates, check_gates


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        (Gates(), []),
        (Gates(max_churn=0.2, min_accuracy_gain=0.02), []),
        (Gates(max_churn=0.1), ["20.00% of the documents flip, expected at most 10.00%"]),
        (Gates(max_churn=0.199999), ["20.0000% of the documents flip, expected at most 19.9999%"]),
        (
            Gates(min_accuracy_gain=0.0200001),
            ["accuracy changes by +0.0200000, expected at least +"],
        ),
        (Gates(min_accuracy_gain=0.05), ["accuracy changes by +0.0200, expected at least +0.0500"]),
    ],
)
def test_gates(gates: Gates, expected: list[str]) -> None:
    comparison = {
        "agreement": 0.8,
        "metrics": {"old": {"accuracy": 0.9}, "new": {"accuracy": 0.92000001}},
    }
    found = check_gates(comparison, gates)
    assert len(found) == len(expected)
    assert all(sentence.startswith(begin) for sentence, begin in zip(found, expected, strict=True))


def test_an_accuracy_gate_needs_labels() -> None:
    with pytest.raises(ConfigError, match="--min-accuracy-gain: expected labels"):
        check_gates({"agreement": 1.0, "metrics": {}}, Gates(min_accuracy_gain=0))
