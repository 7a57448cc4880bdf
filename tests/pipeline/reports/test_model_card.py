"""The model card has every section, and corpus text in it stays text."""

import dataclasses

from markdown_it import MarkdownIt

from model.metrics.evaluation import evaluate
from model.training.wide_fitting.mix import Mix
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
        "Measured on 10 documents of test. Training did not use this split to choose anything. "
        "Training saw 2 texts of this split, so the metrics are slightly too high.",
        "## Data",
        "## Metrics",
        "## Calibration",
        "## Provenance",
        "into: billing, praise.",
        "9,012 rows read, 9,000 used, 12 rejected.",
        "| billing | 4,000 | 500 |",
        "| **All** | 8,000 | 1,000 |",
        "| train | 12 | 4,321 | 3.1% | 7 |",
        "Vocabulary: 1,234 entries",
        "| malformed\\_row | 11 |",
        "| test | 10 | 90.0% | 89.9% | 0.362 |",
        "| test, linear baseline | 10 | 70.0% | 70.0% | 0.500 |",
        "The linear baseline is TF-IDF (words 1-2) with logistic regression (C \\= 4); it took 1.2 "
        "s. It was not tuned, because there is no validation split.\n",
        "| billing | 5 | 100% | 80.0% | 88.9% |",
        "Expected calibration error: 10.0%.",
        "| 70.0% to 80.0% | 10 | 80.0% | 90.0% |",
        "Over 2 seeds, of which validation chose this one: accuracy 80.0% ± 14.1% (mean",
        "Splits: train as given in the corpus; 10.0% test by a hash of the text, equal ones in one",
        "- The largest class of train has 11 times as many documents as the smallest.",
        "- Measured on fewer than 50 documents, so the scores are rough: billing, praise.",
        "- Its most frequent error: 20.0% of billing is predicted as praise.",
        "```\nlimelight train --config tickets.yaml\n```",
        "- Seed: 2\n- Epoch kept: 2\n- run: 20261120T105512Z-train-3fa2b1\n- keras: 3.15.0",
    ):
        assert expected in card, expected


def test_the_card_says_how_documents_were_split():
    corpus = {"columns": {"group": "author"}, "splits": {"validation": 0.1, "test": 0.1}}
    card = render_model_card(made_up.model_report(config={"corpus": corpus}))
    assert "Splits: 10.0% test by a hash of the group, equal ones in one split." in card
    corpus["columns"]["split"] = "part"
    card = render_model_card(made_up.model_report(config={"corpus": corpus}))
    assert "Splits: as in a column of the corpus." in card


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


def test_documents_with_only_soft_labels_have_a_row_of_their_own():
    statistics = made_up.statistics()
    assert "only soft labels" not in render_model_card(made_up.model_report(statistics=statistics))
    splits = dict(statistics.splits)
    splits["train"] = dataclasses.replace(splits["train"], without_label=1_500)
    statistics = dataclasses.replace(statistics, splits=splits)
    card = render_model_card(made_up.model_report(statistics=statistics))
    assert "| only soft labels | 1,500 | 0 |" in card


def test_a_model_without_an_evaluation():
    card = render_model_card(
        made_up.model_report(evaluations={}, command=None, rejections=[], warnings=[])
    )
    assert "No split was evaluated." in card
    assert "```" not in card
    assert "Reason for rejection" not in card


def test_a_multilabel_model():
    evaluation = evaluate([[0.9, 0.2]], [[1, 0]], labels=made_up.LABELS, multilabel=True)
    card = render_model_card(made_up.model_report(evaluations={"test": evaluation}, baseline=None))
    assert "gives a text any of 2 labels" in card
    assert "| test | 1 | 100% | 100% | 100% | 0.164 |" in card
    assert (
        "Accuracy by the probability of a label; each label of each document counts as one" in card
    )
    assert "| 10.0% to 20.0% | 1 | 20.0% | 0% |" in card
    assert "| 80.0% to 90.0% | 1 | 90.0% | 100% |" in card
    assert "always answers" not in card


def test_a_model_of_many_labels_names_the_first():
    labels = tuple(f"label {number}" for number in range(15))
    card = render_model_card(made_up.model_report(statistics=made_up.statistics(labels)))
    assert "label 11, and 3 more." in card
    assert "label 12," not in card


def test_the_card_says_what_the_wide_part_is_worth():
    alone = render_model_card(made_up.model_report())
    assert "An LSTM network that gives a text one of 2 labels" in alone
    assert "wide part" not in alone
    mix = Mix(network=0.63, wide=1.05, network_loss=0.0637, loss=0.0133)
    config = {"network": {"wide": {"bigram_bits": 18, "character_bits": 17}}}
    beside = render_model_card(made_up.model_report(config=config, mix=mix))
    assert "(the wide part) that together give a text one of 2 labels" in beside
    assert "Attention does not show what the wide part added" in beside
    assert "validation loss 0.0637 with the network alone, 0.0133 together" in beside
