import pytest

from model.config import ConfigError
from model.files.json_values import MAX_DEPTH, MAX_PARTS, MAX_VALUES, parse_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "\\ud83d\\udc4d"]}', {"a": [1, 2.5, None, True, "👍"]}),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
        ("1" * 40, int("1" * 40)),
        ("1e300", 1e300),
    ],
)
def test_json_is_read(text: str, value: object) -> None:
    got = parse_json(text.encode(), where="a.json")
    assert value is None or got == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1', "delimiter"),
        (b"\xff", "bytes that are not UTF-8 from byte 0"),
        (b"[NaN]", "NaN, which is no number"),
        (b"[-Infinity]", "-Infinity, which is no number"),
        (b"1e999", "the number 1e999, which is too large"),
        (b"1" * 41, "an integer of 41 digits"),
        (b"9" * 5000, "an integer of 5,000 digits"),
        (b'{"a": 1, "a": 2}', "the key 'a' twice"),
        (b'["\\ud800"]', "surrogates not allowed"),
        (b'{"\\udfff": 1}', "surrogates not allowed"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        (b"[" * 100_000, f"nested more than {MAX_DEPTH} deep"),
        (b"[" + b"1," * MAX_VALUES + b",1]", "more than 10,000,000 values"),
        (b"[" + b"[]," * MAX_PARTS + b"1]", "more than 4,000,000 parts"),
        (b"[" + b'"",' * MAX_PARTS + b"[]]", "more than 4,000,000 parts"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_json_is_named_in_one_line(text: bytes, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_json(text, where="a.json")
    message = str(raised.value)
    assert message.startswith("a.json: expected JSON, got ")
    assert problem in message
    assert "\n" not in message
