"""The model card says what a reader needs, and nothing that a corpus slipped in."""

from markdown_it import MarkdownIt

from model.metrics.evaluation import evaluate
from pipeline.reports.model_card import render_model_card
from tests.pipeline.reports import made_up

markdown = MarkdownIt("commonmark").enable("table")
EVIL = "<script>alert(1)</script> | [x](javascript:alert(1)) `*_\n# heading"


def test_the_card_says_everything():
    card = render_model_card(made_up.model_report())
    for expected in (
        "# tickets/3\n",
        "gives a text one of 2 labels",
        "## Intended use",
        "Measured on 10 documents of test, which chose nothing in training; 2 texts of it training "
        "has seen.",
        "into: billing, praise.",
        "9,012 rows read, 9,000 used, 12 rejected.",
        "| billing | 4,000 | 500 |",
        "| **All** | 8,000 | 1,000 |",
        "| train | 12 | 4,321 | 3.1% | 7 |",
        "Vocabulary: 1,234 entries",
        "| malformed\\_row | 11 |",
        "| test | 10 | 90.0% | 89.9% | 0.362 |",
        "| billing | 5 | 100% | 80.0% | 88.9% |",
        "expected calibration error is 10.0%",
        "| 70.0% to 80.0% | 10 | 80.0% | 90.0% |",
        "Over 2 seeds, of which validation chose this one: accuracy 80.0% ± 14.1% (mean",
        "Splits: train as the corpus gives them; 10.0% test drawn by a hash of the text, its",
        "- The largest class of train has 11 times as many documents as the smallest.",
        "- Judged on fewer than 50 documents, so the scores are rough: billing, praise.",
        "- Its most frequent mistake: billing taken for praise, 20.0% of that label.",
        "```\nlimelight train --config tickets.yaml\n```",
        "- Seed: 2\n- Epoch kept: 2\n- run: 20261120T105512Z-train-3fa2b1\n- keras: 3.15.0",
    ):
        assert expected in card, expected


def test_groups_are_drawn_whole():
    corpus = {"columns": {"group": "author"}, "splits": {"validation": 0.1, "test": 0.1}}
    card = render_model_card(made_up.model_report(config={"corpus": corpus}))
    assert "Splits: 10.0% test drawn by a hash of the group, its documents together." in card
    corpus["columns"]["split"] = "part"
    card = render_model_card(made_up.model_report(config={"corpus": corpus}))
    assert "Splits: as a column of the corpus gives them." in card


def test_corpus_text_is_escaped_everywhere():
    labels = (EVIL, EVIL + ".")
    report = made_up.model_report(
        model_version=EVIL,
        command=EVIL + "\n```",
        evaluations={EVIL: made_up.evaluation(labels)},
        statistics=made_up.statistics(labels),
        warnings=[EVIL],
        provenance={EVIL: EVIL},
    )
    harmless = made_up.model_report(
        command="a\nb\nc",
        evaluations={"x": made_up.evaluation(("y", "z"))},
        statistics=made_up.statistics(("y", "z")),
        warnings=["x"],
        provenance={"x": "x"},
    )
    tokens = markdown.parse(render_model_card(report))
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "strong_open", "strong_close"}
    structure = [token.type for token in tokens]
    assert structure == [token.type for token in markdown.parse(render_model_card(harmless))]


def test_a_model_that_nothing_was_measured_of():
    card = render_model_card(
        made_up.model_report(evaluations={}, command=None, rejections=[], warnings=[])
    )
    assert "No split was evaluated." in card
    assert "```" not in card
    assert "Rejected because" not in card


def test_a_multilabel_model():
    evaluation = evaluate([[0.9, 0.2]], [[1, 0]], labels=made_up.LABELS, multilabel=True)
    card = render_model_card(made_up.model_report(evaluations={"test": evaluation}))
    assert "gives a text any of 2 labels" in card
    assert "| test | 1 | 100% | 100% | 100% | 0.164 |" in card
    assert "How often a label is right, by its probability:" in card
    assert "| 10.0% to 20.0% | 1 | 20.0% | 0% |" in card
    assert "| 80.0% to 90.0% | 1 | 90.0% | 100% |" in card
    assert "always answers" not in card


def test_a_model_of_many_labels_names_the_first():
    labels = tuple(f"label {number}" for number in range(15))
    card = render_model_card(made_up.model_report(statistics=made_up.statistics(labels)))
    assert "label 11, and 3 more." in card
    assert "label 12," not in card
