import decimal
import math
import uuid
from typing import Any

import pytest

from pipeline.corpora.reading.failures import RowError
from pipeline.corpora.reading.values import (
    group_value,
    id_value,
    kept_value,
    label_value,
    labels_value,
    rationale_value,
    soft_labels_value,
    split_value,
    text_value,
    untyped_label_value,
    weight_value,
)

_NOTHING = [(value, None) for value in (None, "", " \t", math.nan)]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        " a ",
        "\ufeffa",
        "a\x00b",
        "a\r\nb",
        "שלום עולם",
        "\u202eabc",
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "\u200b",
        "\ufffd",
    ],
)
def test_text_is_kept_as_it_is(text: str) -> None:
    assert text_value(text, "text", 100) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty_text"),
        (math.nan, "empty_text"),
        ("", "empty_text"),
        (" \t\r\n", "empty_text"),
        ("\u00a0\u3000", "empty_text"),
        (1, "malformed_row"),
        (True, "malformed_row"),
        (["a"], "malformed_row"),
        ({}, "malformed_row"),
        ("x" * 13, "text_too_large"),
        ("é" * 7, "text_too_large"),
        ("😀" * 4, "text_too_large"),
    ],
)
def test_text_that_rejects_the_row(value: Any, reason: str) -> None:
    with pytest.raises(RowError, match="expected") as error:
        text_value(value, "text", 12)
    assert error.value.failure.reason == reason


@pytest.mark.parametrize("text", ["x" * 12, "é" * 6, "文" * 4, "😀" * 3])
def test_text_of_just_the_limit(text: str) -> None:
    assert text_value(text, "text", 12) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (" a ", " a "),
        ("1.0", "1.0"),
        (7, "7"),
        (2**63, str(2**63)),
        (1.0, "1"),
        (-0.0, "0"),
        (1e22, "1" + "0" * 22),
        (4.5, "4.5"),
        (decimal.Decimal("1.00"), "1"),
        (decimal.Decimal("4.50"), "4.5"),
        (decimal.Decimal(10**37 + 1), str(10**37 + 1)),
        (decimal.Decimal("1e999999"), "1E+999999"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (math.nan, None),
        (math.inf, None),
        *((blank, None) for blank in (None, "", " ")),
    ],
)
def test_id(value: Any, expected: str | None) -> None:
    assert id_value(value) == expected


@pytest.mark.parametrize("value", [True, [], {}, b"a"])
def test_id_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError):
        id_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pos", "pos"),
        ("\u00a0pos\t", "pos"),
        ("1.0", "1.0"),
        (1, "1"),
        (-1, "-1"),
        (1.0, "1"),
        (decimal.Decimal("2.000"), "2"),
        (True, "true"),
        (False, "false"),
        *((blank, None) for blank in (None, "", " ", math.nan, -math.inf)),
    ],
)
def test_label(value: Any, expected: str | None) -> None:
    assert label_value(value) == expected


@pytest.mark.parametrize("value", [4.5, decimal.Decimal("0.10"), [], {}, b"pos"])
def test_label_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError, match="as label, got"):
        label_value(value)


def test_a_label_with_a_fraction_says_why_it_is_none() -> None:
    expected = "got the number 4.5, a number with a fraction, which names no class"
    with pytest.raises(RowError, match=expected):
        label_value(4.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((text, text.partition(".")[0]) for text in ("0.0", "1.0", "-1.000", "10.0")),
        *((text, text) for text in ("1.5", "1.", ".0", "01.0", "1.0.0", "v1.0", "1e0", "١.0")),
        (" 1.0 ", "1"),
        ("", None),
    ],
)
def test_label_of_a_format_without_numbers(value: str, expected: str | None) -> None:
    assert untyped_label_value(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a ", "a "), (1.0, "1"), (4.5, "4.5"), (True, "true"), (math.nan, None), (" ", None)],
)
def test_group(value: Any, expected: str | None) -> None:
    assert group_value(value) == expected


@pytest.mark.parametrize("value", [[], {}, b"a"])
def test_group_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError, match="as group"):
        group_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", 1, True], ["a", "1", "true"]),
        ('["a", 1]', ["a", "1"]),
        ([1.0, decimal.Decimal(2)], ["1", "2"]),
        ('[1.0, "1.0", 123456789012345678901]', ["1", "1.0", "123456789012345678901"]),
        (" ", None),
        (math.nan, None),
        ([], []),
        ("", None),
        (None, None),
    ],
)
def test_labels(value: Any, expected: list[str] | None) -> None:
    assert labels_value(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ([0.25, 1, 0], [(None, 0.25), (None, 1), (None, 0)]),
        ({"pos": 0.9, "neg": 0.1}, [("pos", 0.9), ("neg", 0.1)]),
        ({"pos": 1, "neg": None}, [("pos", 1)]),  # a struct of Parquet
        ([("pos", 0.9), ("neg", 0.1)], [("pos", 0.9), ("neg", 0.1)]),  # a map of Parquet
        ('{"pos": 0.9, "neg": 0.1}', [("pos", 0.9), ("neg", 0.1)]),
        ("[0.5, 0.5]", [(None, 0.5), (None, 0.5)]),
        ({}, []),
    ],
)
def test_soft_labels(value: Any, expected: list[tuple[str | None, float]] | None) -> None:
    found = soft_labels_value(value)
    pairs = found and [(each["label"], each["probability"]) for each in found]
    assert pairs == expected


@pytest.mark.parametrize(
    "value",
    [
        *("a", "1", 0.5, [], "[]", [0.5, -0.1], [0.5, 1.5], [0.5, True], [0.5, None], ["a"]),
        *([[0.5]], {"pos": "a"}, {"pos": 2}, [math.nan], "{", '{"pos": {"neg": 1}}'),
    ],
)
def test_soft_labels_that_reject_the_row(value: Any) -> None:
    with pytest.raises(RowError, match="expected a list of probabilities from 0 to 1") as raised:
        soft_labels_value(value)
    assert raised.value.failure.reason == "malformed_row"


@pytest.mark.parametrize(
    "value", ["a", "1", ["a", None], ["a", ""], [["a"]], 1, '["\\ud800"]', "[NaN]", [4.5]]
)
def test_labels_that_reject_the_row(value: Any) -> None:
    with pytest.raises(RowError):
        labels_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.0), (1.5, 1.5), ("0.25", 0.25), (decimal.Decimal("0.5"), 0.5), *_NOTHING],
)
def test_weight(value: Any, expected: float | None) -> None:
    assert weight_value(value) == expected


@pytest.mark.parametrize(
    "value", [-1, -0.001, math.inf, "nan", "inf", "heavy", 1e39, True, [1], {}]
)
def test_weight_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError):
        weight_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"start": 0, "end": 2}], [(0, 2)]),
        ([[0, 2], [1, 5]], [(0, 2), (1, 5)]),
        ([], []),
        ("b", [(1, 2)]),
        ("abcba", [(0, 5)]),
        (None, None),
        ("", None),
    ],
)
def test_rationale(value: Any, expected: list[tuple[int, int]] | None) -> None:
    spans = rationale_value(value, "abcba")
    assert (spans and [(span["start"], span["end"]) for span in spans]) == (expected or spans)
    assert (spans is None) == (expected is None)


@pytest.mark.parametrize(
    "value",
    ["x", "ABC", [[0, 6]], [[2, 2]], [[3, 2]], [[-1, 2]], [[0.0, 1]], [[True, 2]], [[0]], [{}], 3],
)
def test_rationale_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError):
        rationale_value(value, "abcba")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("train", "train"),
        ("Training ", "train"),
        ("dev", "validation"),
        ("val", "validation"),
        ("valid", "validation"),
        ("validation", "validation"),
        ("TEST", "test"),
        *_NOTHING,
    ],
)
def test_split(value: Any, expected: str | None) -> None:
    assert split_value(value, "split") == expected


@pytest.mark.parametrize("value", ["holdout", 1, ["train"]])
def test_split_that_rejects_the_row(value: Any) -> None:
    with pytest.raises(RowError):
        split_value(value, "split")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (12, "12"),
        (True, "true"),
        (0.5, "0.5"),
        (["é"], '["é"]'),
        ({"a": None}, '{"a": null}'),
        (decimal.Decimal("1.50"), "1.50"),
        (decimal.Decimal("0E-18"), "0.000000000000000000"),
        (12345678901234567890123, "12345678901234567890123"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (["a", math.nan, -math.inf], '["a", null, "-Infinity"]'),
        ({"a": [decimal.Decimal("1.50"), b"\xff"], 1: True}, '{"a": [1.50, "/w=="], "1": true}'),
        ([("a", 1)], '[["a", 1]]'),
        (math.nan, None),
        (" ", " "),
        ("", ""),
        (None, None),
    ],
)
def test_kept(value: Any, expected: str | None) -> None:
    assert kept_value(value) == expected


def test_a_kept_value_nested_too_deeply_rejects_the_row() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RowError):
        kept_value(value)


@pytest.mark.parametrize("text", ["1_000", "\uff11", "infinity", "nan", "0x1"])
def test_a_weight_in_text_is_a_number_as_json_and_csv_write_it(text: str) -> None:
    assert weight_value(" 1.5e1 ") == 15
    with pytest.raises(RowError, match="expected a weight >= 0"):
        weight_value(text)
