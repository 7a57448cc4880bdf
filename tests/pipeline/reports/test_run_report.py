"""The run page shows every part of its report."""

from pipeline.reports.run_report import render_run_report
from tests.pipeline.reports import made_up
from tests.pipeline.reports.html_page import parse_page


def shown(**changes) -> str:
    return parse_page(render_run_report(made_up.run_report(**changes))).text


def test_the_page_shows_everything():
    text = shown()
    for expected in (
        "2026-11-20",
        "9,000 documents scored by tickets/3 , 2026-11-20 11:03 UTC",
        "Rows read 9,012",
        "Rejected 12 0.1% of the rows",
        "Duration 1 min 24 s 11,832 documents/s",
        "0.9% of the rows were rejected.",
        "billing 6,000 66.7% praise 3,000 33.3%",  # the most frequent first
        "88.9% of 9,000 documents have a probability of at least 90%.",
        "refund 80.0%",
        "empty_text 1 <0.1% The text is null or blank.",
        "corpus/tickets.jsonl 3.4 MB 9,012 9,000 12",
        "engine folded",
        "20261120T110301Z-score-77ab01",
    ):
        assert expected in text, expected


def test_documents_without_a_true_label_are_marked_neither_correct_nor_wrong():
    page = parse_page(render_run_report(made_up.run_report()))
    assert "true label" not in page.text
    assert [article["class"] for article in page.all("article")] == ["document", "document"]


def test_a_run_without_attention_says_so():
    bare = made_up.document(token_starts=[], token_ends=[], attention=[])
    page = parse_page(render_run_report(made_up.run_report(most_certain=[bare], least_certain=[])))
    assert "attention was not stored" in page.text
    assert bare.text in page.text
    assert not page.all("mark")


def test_an_empty_run():
    text = shown(
        rows_read=0,
        rows_scored=0,
        seconds=0.0,
        documents_per_second=0.0,
        label_counts={},
        score_histogram=[0] * 20,
        most_certain=[],
        least_certain=[],
        rejections=[],
        inputs=[],
        warnings=[],
        provenance={},
    )
    assert "Rows read 0" in text
    assert "No documents were scored." in text
    assert "No row was rejected." in text
