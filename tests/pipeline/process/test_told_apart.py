import pytest

from pipeline.process.told_apart import told_apart


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (0.5, 0.01, ["50.00%", "1.00%"]),
        (6 / 599, 0.01, ["1.002%", "1.000%"]),
        (0.01, 0.01, ["1.000000000000%", "1.000000000000%"]),
    ],
)
def test_shares(value: float, limit: float, shown: list[str]) -> None:
    assert told_apart(value, limit, percent=True) == shown


def test_numbers() -> None:
    assert told_apart(0.104, 0.1) == ["0.104", "0.100"]
    assert told_apart(-1, 0.02, digits=4) == ["-1.0000", "0.0200"]
