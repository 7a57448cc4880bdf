"""The official score of SemEval-2010 Task 8, the classification of directed relations."""

import re
from collections.abc import Sequence

_DIRECTED_RELATION = re.compile(r"([A-Za-z][A-Za-z-]*)\((?:e1,e2|e2,e1)\)")
_NO_RELATION = "Other"


def are_directed_relations(labels: Sequence[str]) -> bool:
    """Whether every label is `Other` or a directed relation, and at least one is a relation."""
    relations = [label for label in labels if label != _NO_RELATION]
    return bool(relations) and all(_DIRECTED_RELATION.fullmatch(label) for label in relations)


def semeval_f1(truth: Sequence[str], predicted: Sequence[str | None]) -> float:
    """The official score as a fraction; the official scorer prints it in percent.

    The scorer calls it "(9+1)-way evaluation with directionality taken into account,
    macro-averaged F1". The two directions of a relation are one class. A prediction of the right
    relation in the wrong direction is wrong, but counts among the predictions of that relation.
    For each relation that occurs in the truth, F1 = 2 TP / (predicted + true); the score is the
    mean of these. `Other` is not a relation and has no F1 of its own: documents of it predicted as
    a relation lower that relation's precision, and relations predicted as `Other` lower recall.

    Args:
        truth: labels such as `Cause-Effect(e2,e1)` or `Other`.
        predicted: one label for each of the truth; None where the system gave no answer, which
            lowers recall only.

    Raises:
        ValueError: if the lengths differ or a label has another form.

    Reference: Hendrickx et al., SemEval 2010, and its `semeval2010_task8_scorer-v1.2.pl`.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: expected {len(truth)} labels, got {len(predicted)}")
    true_relations = [_relation(label) for label in truth]
    predicted_relations = [
        _NO_RELATION if label is None else _relation(label) for label in predicted
    ]
    scores = []
    for relation in sorted(set(true_relations) - {_NO_RELATION}):
        hits = sum(
            label == answer and true_relation == relation
            for label, answer, true_relation in zip(truth, predicted, true_relations, strict=True)
        )
        expected = true_relations.count(relation)
        scores.append(2 * hits / (predicted_relations.count(relation) + expected))
    return sum(scores) / len(scores) if scores else 0.0


def _relation(label: str) -> str:
    """The name of a relation without its direction; `Other` is returned unchanged."""
    if label == _NO_RELATION:
        return label
    match = _DIRECTED_RELATION.fullmatch(label)
    if match is None:
        raise ValueError(
            f"label: expected 'Other', 'Relation(e1,e2)' or 'Relation(e2,e1)', got {label!r}"
        )
    return match[1]
