from collections import defaultdict
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.duplicates import (
    DOCUMENT_KEYS,
    REPEATED_ROWS,
    count_repeated_texts,
    find_repeated_ids,
    key_buckets,
    key_documents,
)
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.reading.units import Unit
from tests.pipeline.batches import make_documents

SPLITS = ("train", "validation", "test")
BUCKETS = 64

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "document_id": st.sampled_from(["a", "b", "c", "d", "e"]),
            "text": st.sampled_from(["one", "ONE ", "two", "three", "four"]),
            "split": st.sampled_from(SPLITS),
            "source_file": st.sampled_from(["x", "y"]),
        }
    ),
    max_size=30,
)


def bucketed(
    rows: list[dict[str, Any]], *, batch_rows: int
) -> dict[tuple[str, int], list[pa.RecordBatch]]:
    """The keys of all batches by kind and bucket, as a shuffle gathers them."""
    gathered = defaultdict(list)
    for start in range(0, len(rows), batch_rows):
        documents = add_digests(make_documents(*rows[start : start + batch_rows]))
        for key, keys in key_documents(documents, buckets=BUCKETS):
            assert keys.schema == DOCUMENT_KEYS
            assert keys.num_rows
            gathered[key].append(keys)
    return gathered


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "source_row": index} for index, row in enumerate(rows)]


@given(ROWS, st.integers(1, 10))
def test_every_row_is_keyed_once_by_id_and_once_by_text(
    rows: list[dict[str, Any]], batch_rows: int
) -> None:
    gathered = bucketed(numbered(rows), batch_rows=batch_rows)
    for kind in ("id", "text"):
        found = [
            (key["source_row"], key["split"])
            for (of_kind, bucket), batches in gathered.items()
            if of_kind == kind
            for batch in batches
            for key in batch.to_pylist()
        ]
        assert all(0 <= bucket < BUCKETS for _, bucket in gathered)
        assert sorted(found) == [(index, row["split"]) for index, row in enumerate(rows)]


@given(ROWS, st.integers(1, 10))
def test_repeated_ids_are_all_but_the_first_by_file_and_row(
    rows: list[dict[str, Any]], batch_rows: int
) -> None:
    rows = numbered(rows)
    found = []
    for (kind, _), keys in bucketed(rows, batch_rows=batch_rows).items():
        if kind == "id":
            repeats = find_repeated_ids(keys)
            assert repeats.schema == REPEATED_ROWS
            found += [(row["source_file"], row["source_row"]) for row in repeats.to_pylist()]

    seen = set()
    expected = []
    for row in sorted(rows, key=lambda row: (row["source_file"], row["source_row"])):
        if row["document_id"] in seen:
            expected.append((row["source_file"], row["source_row"]))
        seen.add(row["document_id"])
    assert sorted(found) == sorted(expected)


@given(ROWS, st.integers(1, 10))
def test_repeated_texts_are_counted_within_and_across_splits(
    rows: list[dict[str, Any]], batch_rows: int
) -> None:
    counts = add_counts(
        count_repeated_texts(keys)
        for (kind, _), keys in bucketed(numbered(rows), batch_rows=batch_rows).items()
        if kind == "text"
    )
    texts = {
        split: [row["text"].strip().lower() for row in rows if row["split"] == split]
        for split in SPLITS
    }
    within = {split: len(of_split) - len(set(of_split)) for split, of_split in texts.items()}
    across = {
        f"{first} and {second}": len(set(texts[first]) & set(texts[second]))
        for first, second in (
            ("train", "validation"),
            ("train", "test"),
            ("validation", "test"),
        )
    }
    assert counts.get("within", {}) == {key: count for key, count in within.items() if count}
    assert counts.get("across", {}) == {key: count for key, count in across.items() if count}


def test_keys_fall_into_all_buckets() -> None:
    rows = numbered([{"document_id": str(i), "text": str(i), "split": "train"} for i in range(999)])
    kinds = [kind for kind, _ in bucketed(rows, batch_rows=999)]
    assert kinds.count("id") == kinds.count("text") == BUCKETS


def test_there_are_as_many_buckets_as_units_but_at_least_8_and_at_most_65536() -> None:
    units = [Unit(index=index, parts=()) for index in range(70_000)]
    found = [key_buckets(units[:size]) for size in (1, 100, 70_000)]
    assert found == [8, 100, 65_536]
