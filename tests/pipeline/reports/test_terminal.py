"""What `explain` prints of a prediction."""

from pipeline.reports.terminal import explain_prediction
from tests.pipeline.reports import made_up


def test_attention_alone_without_a_wide_part():
    lines = explain_prediction(made_up.document()).plain.split("\n")
    assert lines == [
        "label  billing  0.987",
        "My refund, please.",
        "most attended: refund 0.80, please 0.10, My 0.10, . 0.00, , 0.00",
    ]


def test_the_wide_parts_score_and_its_largest_contributions_stand_beside_attention():
    document = made_up.document(contributions=[0.0, 0.75, 0.0, -0.5, 0.0], contributions_rest=1.5)
    last = explain_prediction(document).plain.split("\n")[-1]
    assert (
        last
        == "wide part: +1.75 for billing: refund +0.75, please -0.50, bias and cut tokens +1.50"
    )


def test_a_document_with_too_many_unknown_tokens_is_said_to_have_no_answer():
    document = made_up.document(unknown_share=0.6)
    answered = explain_prediction(document).plain
    assert explain_prediction(document, max_unknown=0.6).plain == answered
    first, *rest = explain_prediction(document, max_unknown=0.5).plain.split("\n")
    assert first == (
        "not answered: the vocabulary lacks 60.0% of the tokens, more than 50.0% "
        "(scoring.max_unknown); otherwise:"
    )
    assert rest == answered.split("\n")
