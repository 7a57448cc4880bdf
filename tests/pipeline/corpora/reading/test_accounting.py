import dataclasses

import numpy as np
import pytest

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.accounting import (
    AccountingError,
    account_files,
    allowed_rejections,
    count_broken,
    count_rejected,
    count_used,
    describe_rejected,
    describe_too_many,
    has_too_many_rejections,
    rejected_fraction,
    total_rows,
)
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.rejections import reject_documents
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.files import FileInfo
from tests.pipeline.batches import make_documents

INPUTS = [
    InputFile(
        info=FileInfo(path=f"/corpus/{name}", bytes=size),
        source_file=name,
        input=InputConfig(path="/corpus/*"),
    )
    for name, size in (("a", 10), ("b", 20))
]

DOCUMENTS = make_documents({"source_file": "a"}, {"source_file": "b"}, {"source_file": "a"})


def test_used_rows_are_counted_by_file() -> None:
    assert count_used(DOCUMENTS) == {"files": {"a": {"rows_used": 2}, "b": {"rows_used": 1}}}


def test_rejected_rows_are_counted_by_file_and_reason() -> None:
    rejections = reject_documents(
        DOCUMENTS, np.array([True, False, True]), reason="unknown_label", detail="why"
    )
    assert count_rejected(rejections) == {
        "files": {"a": {"rows_rejected": 2}},
        "rejected": {"unknown_label": 2},
        "first_rejected": {"unknown_label": ["a", 0, "why"]},
    }


def test_the_first_row_of_each_reason_is_kept_in_whatever_order_counts_are_added() -> None:
    parts = [
        {"first_rejected": {"empty_text": ["b", 1, "x"], "not_utf8": ["a", 12, "y"]}},
        {"first_rejected": {"empty_text": ["a", 9, "z"]}},
        {"first_rejected": {"empty_text": ["a", 10, "w"]}},
    ]
    expected = {"first_rejected": {"empty_text": ["a", 9, "z"], "not_utf8": ["a", 12, "y"]}}
    assert add_counts(parts) == add_counts(parts[::-1]) == expected


def test_rejections_are_described_the_most_frequent_reason_first() -> None:
    counts = {"not_utf8": 1, "empty_text": 1_200}
    first = {"empty_text": ["a.csv", 3, "expected text in 'text', got null"]}
    assert describe_rejected(counts, first) == (
        "1,200 empty_text (first: row 3 of a.csv: expected text in 'text', got null), 1 not_utf8"
    )
    assert describe_rejected({}, {}) == ""


def test_rows_read_equal_rows_used_and_rejected_in_every_file() -> None:
    counts = {
        "files": {
            "a": {"rows_read": 5, "rows_used": 3, "rows_rejected": 2},
            "b": {"rows_read": 4, "rows_used": 4},
        },
        "rejected": {"empty_text": 1, "unknown_label": 1},
    }
    accounts = account_files(counts, INPUTS)
    assert accounts == [
        {"file": "/corpus/a", "bytes": 10, "rows_read": 5, "rows_used": 3, "rows_rejected": 2},
        {"file": "/corpus/b", "bytes": 20, "rows_read": 4, "rows_used": 4, "rows_rejected": 0},
    ]
    rows = total_rows(accounts, counts)
    assert rows == {"read": 9, "used": 7, "rejected": {"empty_text": 1, "unknown_label": 1}}
    assert rejected_fraction(rows) == pytest.approx(2 / 9)


def test_a_file_without_rows_has_an_account_too() -> None:
    accounts = account_files({}, INPUTS)
    assert [account["rows_read"] for account in accounts] == [0, 0]
    assert total_rows(accounts, {}) == {"read": 0, "used": 0, "rejected": {}}
    assert rejected_fraction(total_rows(accounts, {})) == 0.0


@pytest.mark.parametrize(
    "lost",
    [
        {"rows_read": 1},
        {"rows_used": 1},
        {"rows_rejected": 1},
    ],
)
def test_the_error_names_the_file_with_a_row_too_many_or_too_few(lost: dict[str, int]) -> None:
    balanced = {name: {"rows_read": 5, "rows_used": 3, "rows_rejected": 2} for name in ("a", "b")}
    counts = add_counts([{"files": balanced}, {"files": {"b": lost}}])
    with pytest.raises(AccountingError, match=r"^/corpus/b: expected rows read = "):
        account_files(counts, INPUTS)


@pytest.mark.parametrize(
    ("rows", "fraction", "allowed"),
    [
        (0, 0.01, 0), (1, 0.01, 0), (2, 0.01, 1), (19, 0.01, 1), (20, 0.01, 2), (49, 0.01, 4),
        (50, 0.01, 5), (99, 0.01, 5), (500, 0.01, 5), (599, 0.01, 5), (600, 0.01, 6),
        (99, 0, 0), (1_000_000, 0, 0), (1_000, 0.001, 1), (100, 0.001, 0), (100, 0.1, 10),
        (100, 0.29, 29), (100, 0.07, 7), (3, 1, 3), (1, 1, 1), (10, 0.5, 5),
    ],
)  # fmt: skip
def test_the_share_of_rejections_has_a_floor_for_small_corpora(
    rows: int, fraction: float, allowed: int
) -> None:
    assert allowed_rejections(rows, fraction) == allowed
    for rejected in (allowed, allowed + 1):
        counted = {"read": rows, "rejected": {"empty_text": rejected}}
        assert has_too_many_rejections(counted, fraction) == (rejected > allowed)


def test_broken_files_are_named_whichever_of_their_parts_say_so() -> None:
    parts = [
        {"files": {"a": {"rows_read": 2, "rows_used": 2}}},
        count_broken("a", BrokenFileError("torn")),
        count_broken("a", BrokenFileError("torn")),
        count_broken("a", BrokenFileError("worse")),
    ]
    counts = add_counts(parts)
    accounts = account_files(counts, INPUTS)
    assert [account.get("broken") for account in accounts] == ["torn", None]
    rows = total_rows(accounts, counts)
    assert rows == {"read": 2, "used": 2, "rejected": {}, "broken_files": {"/corpus/a": "torn"}}


def test_empty_files_are_named_in_a_note() -> None:
    rows = {"bytes": 0, "rows_read": 0, "rows_used": 0, "rows_rejected": 0}
    full = rows | {"file": "full", "bytes": 9, "rows_read": 1, "rows_used": 1}
    rejected = rows | {"file": "a document", "rows_read": 1, "rows_rejected": 1}
    broken = rows | {"file": "a.gz", "broken": "expected gz data, got an empty file"}
    empty = [rows | {"file": f"{number}.jsonl"} for number in range(7)]
    assert "notes" not in total_rows([full, rejected, broken], {})
    assert total_rows([full, empty[0]], {})["notes"] == ["1 of 2 input files are empty: 0.jsonl."]
    assert total_rows([full, rejected, broken, *empty], {})["notes"] == [
        "7 of 10 input files are empty: 0.jsonl, 1.jsonl, 2.jsonl, 3.jsonl, 4.jsonl and 2 more."
    ]


def test_lines_that_repeat_the_header_are_counted_by_file() -> None:
    read = {"rows_read": 2, "rows_used": 2, "headers_skipped": 1}
    counts = add_counts([{"files": {"a": read}}, {"files": {"a": read}}])
    first, second = account_files(counts, INPUTS)
    assert first["headers_skipped"] == 2
    assert "headers_skipped" not in second
    assert total_rows([first, second], counts)["headers_skipped"] == 2


def test_a_file_that_has_other_rows_than_were_staged_is_broken() -> None:
    known = [dataclasses.replace(item, rows=2) for item in INPUTS]
    rows = {"rows_read": 2, "rows_used": 2}
    counts = {"files": {"a": rows, "b": {"rows_read": 1, "rows_used": 1}}}
    broken = [each.get("broken") for each in account_files(counts, known)]
    assert broken == [None, "expected 2 rows, got 1"]


def test_rows_with_replaced_characters_are_counted_by_file_and_noted() -> None:
    read = {"rows_read": 2, "rows_used": 2, "rows_repaired": 1}
    counts = add_counts([{"files": {"a": read}}, {"files": {"a": read, "b": read}}])
    first, second = account_files(counts, INPUTS)
    assert (first["rows_repaired"], second["rows_repaired"]) == (2, 1)
    rows = total_rows([first, second], counts)
    assert rows["repaired"] == 3
    [note] = rows["notes"]
    assert note.startswith(f"In 3 rows of {first['file']} and 1 more, U+FFFD replaces what")
    whole = {"files": {"a": read | {"rows_repaired": 0}}}
    assert "rows_repaired" not in account_files(whole, INPUTS)[0]
    assert total_rows(account_files(whole, INPUTS), whole).keys() == {"read", "used", "rejected"}


@pytest.mark.parametrize(
    ("read", "rejected", "said"),
    [
        (
            599,
            6,
            "1.002% of the rows were rejected, expected at most 1.000% (corpus.max_rejected_"
            "fraction): 6 of 599 rows: 6 empty_text. Repair it.",
        ),
        (
            10**6,
            10_001,
            "1.0001% of the rows were rejected, expected at most 1.0000% (corpus.max_"
            "rejected_fraction): 10,001 of 1,000,000 rows: 10,001 empty_text. Repair it.",
        ),
        (
            100,
            6,
            "6.00% of the rows were rejected, expected at most 1.00% (corpus.max_rejected_"
            "fraction): 6 of 100 rows, of which 5 may be: 6 empty_text. Repair it.",
        ),
    ],
)
def test_the_share_of_rejections_and_its_limit_are_told_apart(
    read: int, rejected: int, said: str
) -> None:
    rows = {"read": read, "rejected": {"empty_text": rejected}}
    message = describe_too_many(
        rows, {}, max_rejected_fraction=0.01, outcome="Failed", hint="Repair it."
    )
    assert message == f"Failed: {said}"
