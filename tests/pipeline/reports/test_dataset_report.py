"""The page of a dataset shows every part of its report."""

import dataclasses
from typing import Any

from pipeline.reports.dataset_report import render_dataset_report
from tests.pipeline.reports import made_up
from tests.pipeline.reports.html_page import parse_page

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def shown(**changes: Any) -> str:
    return str(parse_page(render_dataset_report(made_up.dataset_report(**changes))).text)


def test_the_page_shows_everything() -> None:
    text = shown()
    for expected in (
        "0015589fbeb718da",
        "9,000 documents in 2 splits, 2 labels, 2026-11-20 10:50 UTC",
        "Rows read 9,012 Used 9,000 Rejected 12 0.1% of the rows",
        "Vocabulary 1,234 96.9% of the training split's tokens",
        "12% of the documents of train are cut at max_tokens.",
        "Latin 7,995 99.9% 995 99.5%",
        "Han 5 0.1% 5 0.5%",
        "3 documents of train repeat a text of that split.",
        "2 texts in both train and test.",
        "4 rows with U+FFFD in place of bytes that could not be decoded.",
        "the 退",
        "malformed_row 11 0.1%",
        '{"id": "ticket-1812", "te',
        "corpus/tickets.jsonl 3.4 MB 9,012 9,000 12",
        "text.max_tokens 200",
    ):
        assert expected in text, expected
    assert "Do not use it" not in text


def test_a_dataset_that_failed_says_so() -> None:
    assert "Do not use it: too many rows were rejected." in shown(complete=False)


def test_text_of_a_corpus_stays_text() -> None:
    page = render_dataset_report(
        made_up.dataset_report(
            statistics=made_up.statistics((HOSTILE, "b", "c")),
            frequent_tokens=[HOSTILE],
            rejections=made_up.rejections(raw=HOSTILE.encode(), detail=HOSTILE),
            inputs=made_up.inputs(HOSTILE),
            warnings=[HOSTILE],
        )
    )
    assert "<script" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") >= 5


def test_documents_with_only_soft_labels_have_a_row_of_their_own() -> None:
    statistics = made_up.statistics()
    assert "only soft labels" not in shown(statistics=statistics)
    splits = dict(statistics.splits)
    splits["train"] = dataclasses.replace(splits["train"], without_label=1_500)
    statistics = dataclasses.replace(statistics, splits=splits)
    assert "only soft labels 1,500 18.8% 0 0%" in shown(statistics=statistics)


def test_an_empty_dataset() -> None:
    empty = dataclasses.replace(
        made_up.statistics(), labels=(), splits={}, duplicates_within={}, duplicates_across={}
    )
    text = shown(statistics=empty, rows_read=0, rejections=[], inputs=[], warnings=[])
    assert "0 documents in 0 splits" in text
    assert "No row was rejected." in text
