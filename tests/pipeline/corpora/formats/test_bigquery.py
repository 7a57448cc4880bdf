"""Rows of BigQuery become the same lines of JSON in whatever order they come."""

import datetime
import decimal
import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.bigquery import (
    BUCKETS,
    bucket_of,
    columns_of_line,
    row_to_line,
    sort_lines,
)
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.parts import FilePart

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("déjà\nvu\u2028\x00👍", "déjà\nvu\u2028\x00👍"),
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (0.1, 0.1),
        (float("nan"), None),
        (float("-inf"), float("-inf")),
        (decimal.Decimal("1.50"), 1.5),
        (decimal.Decimal(10**37 + 1), 10**37 + 1),
        (datetime.date(2026, 11, 20), "2026-11-20"),
        (datetime.time(1, 2, 3, 4), "01:02:03.000004"),
        (datetime.datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC), "2026-11-20 01:02:03+00:00"),
        ("café".encode(), "café"),
        ([], []),
        ([{"start": 1, "end": decimal.Decimal(2)}], [{"start": 1, "end": 2}]),
        ({"a": {"b": b"\xff\x00"}, "c": None}, {"a": {"b": "/wA="}, "c": None}),
        (datetime.timedelta(seconds=1), "0:00:01"),
    ],
)
def test_a_value_becomes_one_of_json(value: Any, expected: Any) -> None:
    line = row_to_line({"v": value, "other": object()}, ["v"])
    assert b"\n" not in line
    assert json.loads(line) == {"v": expected}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (float("inf"), "Infinity"),
        (float("nan"), None),
        (decimal.Decimal("1.500000000"), "1.500000000"),
        ({"a": decimal.Decimal("1.50"), "b": b"\xff"}, '{"a": 1.50, "b": "/w=="}'),
        (b"caf\xc3\xa9", "café"),
    ],
)
def test_a_kept_value_is_a_string_already(value: Any, expected: str | None) -> None:
    assert json.loads(row_to_line({"v": value}, ["v"], ["v"])) == {"v": expected}


def test_only_the_columns_in_use_are_kept_and_their_order_does_not_matter() -> None:
    names = ["text", "id", "absent"]
    line = row_to_line({"text": "a", "id": None, "secret": "s"}, names)
    assert line == b'{"id":null,"text":"a"}'
    assert line == row_to_line({"secret": "t", "id": None, "text": "a"}, names[::-1])
    assert columns_of_line(line) == ["id", "text"]


def test_bytes_that_are_no_text_reject_their_row_when_it_is_read() -> None:
    rows = [{"id": "1", "text": b"caf\xe9"}, {"id": "2", "text": "caf\xe9".encode()}]
    content = b"".join(row_to_line(row, ["id", "text"]) + b"\n" for row in rows)
    assert columns_of_line(content.split(b"\n")[0]) == ["id", "text"]
    part = FilePart(path="t/0.jsonl", source_file="t", input=InputConfig(path="t"))
    corpus = CorpusConfig(columns=ColumnsConfig(id="id"))
    [batch] = read_part(io.BytesIO(content), part, corpus=corpus)
    assert batch.documents.column("text").to_pylist() == ["café"]
    assert batch.rejections.column("reason").to_pylist() == ["not_utf8"]


@given(st.lists(st.text(max_size=3), max_size=30), st.randoms(use_true_random=False))
def test_the_same_rows_make_the_same_buckets_in_any_order(
    texts: list[str], rng: random.Random
) -> None:
    def buckets(order: list[str], packs: int) -> dict[int, list[bytes]]:
        lines = [row_to_line({"text": text}, ["text"]) for text in order]
        found: dict[int, list[bytes]] = {}
        for at in range(packs):
            for bucket in range(BUCKETS):
                of_bucket = [line for line in lines[at::packs] if bucket_of(line) == bucket]
                if of_bucket:
                    found.setdefault(bucket, []).append(b"\n".join(of_bucket))
        return {bucket: sort_lines(found[bucket]) for bucket in sorted(found)}

    shuffled = rng.sample(texts, len(texts))
    assert buckets(shuffled, 3) == buckets(texts, 1)
    assert sum(map(len, buckets(texts, 2).values())) == len(texts)
