from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.sections import SplitsConfig
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.splits import assign_splits
from pipeline.corpora.preparing.strata import (
    Strata,
    add_strata_counts,
    count_strata,
    find_strata,
    key_strata,
    share_out,
)
from tests.pipeline.batches import make_documents

SHARES = SplitsConfig(validation=0.2, test=0.3, stratify=True)

Row = dict[str, str | None]


def strata_of(rows: list[Row], *, divide_training: bool, batch_rows: int = 7) -> Strata:
    gathered = defaultdict(list)
    for start in range(0, len(rows), batch_rows):
        documents = add_digests(make_documents(*rows[start : start + batch_rows]))
        for bucket, keys in key_strata(documents, divide_training=divide_training, buckets=3):
            gathered[bucket].append(keys)
    counts = add_strata_counts(map(count_strata, gathered.values()))
    found = find_strata(counts, shares=SHARES)
    assert Strata.from_json(found.to_json(), shares=SHARES) == found
    return found


def split(rows: list[Row], *, divide_training: bool = False) -> list[str]:
    strata = strata_of(rows, divide_training=divide_training)
    documents = add_digests(make_documents(*rows))
    validation, test = strata.bounds_of(documents)
    assigned = assign_splits(
        documents, validation=validation, test=test, divide_training=divide_training
    )
    return list(assigned.column("split").to_pylist())


def count_splits(counts: dict[str, int]) -> dict[str, Counter[str]]:
    rows: list[Row] = [
        {"text": f"{label} {i}", "label": label} for label, n in counts.items() for i in range(n)
    ]
    found: dict[str, Counter[str]] = {label: Counter() for label in counts}
    for row, each in zip(rows, split(rows), strict=True):
        found[str(row["label"])][each] += 1
    return found


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 60), min_size=1))
def test_every_label_is_divided_to_the_nearest_document(counts: dict[str, int]) -> None:
    for label, found in count_splits(counts).items():
        assert found["train"] >= 1
        for name, share in (("validation", 0.2), ("test", 0.3)):
            if counts[label] * share >= 0.5:
                assert abs(found[name] - share * counts[label]) <= 0.5 or counts[label] < 4
            else:
                assert found[name] <= 1


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 6), min_size=1))
def test_a_split_is_empty_only_where_no_label_has_a_document_to_spare(
    counts: dict[str, int],
) -> None:
    found = count_splits(counts)
    total = sum(found.values(), Counter())
    empty = {name for name in ("validation", "test") if not total[name]}
    assert not empty or all(each["train"] == 1 for each in found.values())


@pytest.mark.parametrize(
    ("documents", "validation", "test"),
    [(1, 0, 0), (2, 12, 12), (3, 18, 18), (4, 24, 24), (5, 60, 60), (6, 60, 60), (8, 60, 60)],
)
def test_sixty_labels_with_few_documents(documents: int, validation: int, test: int) -> None:
    totals = {f"class {label:02}": documents for label in range(60)}
    shared = share_out(totals, SplitsConfig(validation=0.1, test=0.1, stratify=True))
    assert sum(each for each, _ in shared.values()) == validation
    assert sum(each for _, each in shared.values()) == test
    assert all(sum(each) < documents for each in shared.values())


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.integers(0, 30).map(str),
                "label": st.sampled_from(["a", "b", "c", None]),
                "split": st.sampled_from(["train", "test", None]),
            }
        ),
        max_size=80,
    ),
    st.booleans(),
)
def test_copies_of_a_text_fall_into_one_split_whatever_their_labels(
    rows: list[Row], divide_training: bool
) -> None:
    splits = split(rows, divide_training=divide_training)
    sides = defaultdict(set)
    for row, found in zip(rows, splits, strict=True):
        if row["split"] is None and row["label"] is not None:
            sides[row["text"]].add(found)
        if row["split"] == "test" or (row["split"] == "train" and not divide_training):
            assert found == row["split"]
    assert all(len(found) == 1 for found in sides.values())


def test_a_training_split_gives_validation_of_every_label() -> None:
    rows: list[Row] = [
        {"text": f"{label} {i}", "label": label, "split": "train"}
        for label in "ab"
        for i in range(50)
    ]
    rows += [{"text": f"test {i}", "label": "a", "split": "test"} for i in range(50)]
    splits = split(rows, divide_training=True)
    assert [splits[start : start + 50].count("validation") for start in (0, 50, 100)] == [10, 10, 0]
    assert splits[100:] == ["test"] * 50
