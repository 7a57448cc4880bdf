import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig, SplitsConfig
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.splits import assign_splits, takes_validation_from_training
from pipeline.schemas import DIGEST, DIGEST_BYTES
from tests.pipeline.batches import make_documents

SHARES = SplitsConfig(validation=0.2, test=0.3)

# Unicode never changes the normal forms or the lower case of a character that it has assigned.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20)


def assign(
    documents: pa.RecordBatch, shares: SplitsConfig, *, divide: bool = False
) -> pa.RecordBatch:
    test = shares.validation + shares.test
    return assign_splits(documents, validation=shares.validation, test=test, divide_training=divide)


def split_texts(texts: list[str], *, split: str | None = None, divide: bool = False) -> list[str]:
    documents = add_digests(make_documents(*({"text": text, "split": split} for text in texts)))
    assigned = assign(documents, SHARES, divide=divide)
    assert assigned.schema == documents.schema
    assert assigned.drop_columns("split") == documents.drop_columns("split")
    return assigned.column("split").to_pylist()


@given(
    st.lists(TEXTS, min_size=1, max_size=8),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.sampled_from([" ", "\n", "\t \u3000"]),
)
def test_equal_normalized_texts_fall_into_one_split(
    texts: list[str], form: str, space: str
) -> None:
    variants = [space + unicodedata.normalize(form, text) + space for text in texts]
    assert split_texts(texts) == split_texts(variants)


def test_a_split_depends_only_on_the_text() -> None:
    texts = [f"text {index}" for index in range(100)]
    alone = [split for text in texts for split in split_texts([text])]
    assert split_texts(texts) == alone
    assert split_texts(texts[::-1]) == alone[::-1]


def test_shares_are_about_right() -> None:
    splits = np.array(split_texts([f"text number {index}" for index in range(20_000)]))
    shares = {split: (splits == split).mean() for split in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.5, "validation": 0.2, "test": 0.3}, abs=0.01)


def test_a_digest_is_compared_as_a_fraction() -> None:
    leading = [0, int(0.2 * 2**64) - 4096, int(0.2 * 2**64) + 4096, 2**63 - 4096, 2**63, 2**64 - 1]
    digests = pa.array(
        [value.to_bytes(8, "big") + b"\xff" * 8 for value in leading], pa.binary(DIGEST_BYTES)
    )
    documents = make_documents(*[{}] * len(leading)).append_column(DIGEST, digests)
    assigned = assign(documents, SHARES)
    assert assigned.column("split").to_pylist() == [
        "validation",
        "validation",
        "test",
        "test",
        "train",
        "train",
    ]


def test_a_share_of_0_gives_no_document() -> None:
    documents = add_digests(make_documents(*({"text": str(index)} for index in range(500))))
    assigned = assign(documents, SplitsConfig(validation=0.0, test=0.0), divide=True)
    assert set(assigned.column("split").to_pylist()) == {"train"}


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_given_splits_are_kept(split: str) -> None:
    texts = [f"text {index}" for index in range(200)]
    assert set(split_texts(texts, split=split)) == {split}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_only_training_documents_are_divided(split: str) -> None:
    texts = [f"text {index}" for index in range(200)]
    assert set(split_texts(texts, split=split, divide=True)) == {split}


def test_a_divided_training_split_gives_validation_the_documents_that_the_hash_does() -> None:
    texts = [f"text {index}" for index in range(500)]
    expected = ["validation" if each == "validation" else "train" for each in split_texts(texts)]
    assert split_texts(texts, split="train", divide=True) == expected
    assert 60 < expected.count("validation") < 140


def test_documents_with_and_without_a_split_may_be_mixed() -> None:
    documents = add_digests(make_documents({"text": "a", "split": "test"}, {"text": "a"}))
    assigned = assign(documents, SplitsConfig(validation=0.0, test=0.0))
    assert assigned.column("split").to_pylist() == ["test", "train"]


def test_documents_of_a_group_fall_into_one_split_and_others_are_split_by_text() -> None:
    rows = [{"text": f"text {i}", "group": f"author {i % 40}"} for i in range(400)]
    rows += [{"text": f"text {i}", "group": None} for i in range(40)]
    documents = add_digests(make_documents(*rows))
    splits = assign(documents, SHARES).column("split").to_pylist()
    by_group: dict[str, set[str]] = {}
    for row, split in zip(rows[:400], splits[:400], strict=True):
        by_group.setdefault(str(row["group"]), set()).add(split)
    assert all(len(found) == 1 for found in by_group.values())
    assert set.union(*by_group.values()) == {"train", "validation", "test"}
    assert splits[400:] == split_texts([f"text {i}" for i in range(40)])


def test_an_empty_batch_stays_empty() -> None:
    assert split_texts([]) == []


@pytest.mark.parametrize(
    ("splits", "column", "takes"),
    [
        (["train"], None, True),
        (["train", "test"], None, True),
        (["train", None], None, True),
        (["train", "validation"], None, False),
        ([None], None, False),
        (["test"], None, False),
        (["train"], "fold", False),
    ],
)
def test_validation_is_taken_from_training_if_nothing_else_gives_it(
    splits: list[str | None], column: str | None, takes: bool
) -> None:
    inputs = tuple(
        InputConfig(path=str(index), split=split)  # type: ignore[arg-type]
        for index, split in enumerate(splits)
    )
    corpus = CorpusConfig(inputs=inputs, columns=ColumnsConfig(split=column))
    assert takes_validation_from_training(corpus) is takes
