"""The model card: what a reader needs to judge a model by, in Markdown.

The sections follow Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019), as far as a
program can fill them.
"""

from collections.abc import Iterator

from model.metrics.evaluation import Evaluation
from pipeline.reports.confusion_matrix import frequent_confusions
from pipeline.reports.formats import count, moment, percent
from pipeline.reports.markdown import escaped, fenced
from pipeline.reports.model_card_data import describe_data
from pipeline.reports.model_card_metrics import describe_calibration, describe_metrics
from pipeline.reports.model_report import ModelReport

_FEW_ROWS = 50  # a score measured on fewer documents is rough
_LABELS_NAMED = 12


def render_model_card(report: ModelReport) -> str:
    """A Markdown page; text that came from the corpus is escaped."""
    choice = f"{'any' if report.multilabel else 'one'} of {count(len(report.statistics.labels))}"
    lines = [
        f"# {escaped(report.model_version)}",
        "",
        f"Made {moment(report.created)}. {_kind(report)} a text "
        f"{choice} labels, a probability for each, and a weight for every token.",
    ]
    for title, section in (
        ("Intended use", _intended_use(report)),
        ("Data", describe_data(report)),
        ("Metrics", describe_metrics(report)),
        ("Calibration", describe_calibration(report)),
        ("Limits", _limits(report)),
        ("Provenance", _provenance(report)),
    ):
        content = list(section)
        if content:
            lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def _kind(report: ModelReport) -> str:
    if report.has_wide_part:
        return "An LSTM network and a linear model of words (the wide part) that together give"
    return "An LSTM network that gives"


def _intended_use(report: ModelReport) -> Iterator[str]:
    labels = report.statistics.labels
    named = ", ".join(escaped(label) for label in labels[:_LABELS_NAMED])
    more = f", and {count(len(labels) - _LABELS_NAMED)} more" if len(labels) > _LABELS_NAMED else ""
    yield (
        "Sorting texts like those of its training corpus, in the same languages and of the same "
        f"kind, into: {named}{more}."
    )
    yield ""
    yield (
        "It is not meant for texts of another kind, for labels that the corpus does not define, or "
        "for decisions about a person that nobody reviews."
    )


def _limits(report: ModelReport) -> Iterator[str]:
    for warning in report.warnings:
        yield f"- {escaped(warning)}"
    if report.measured_split is not None:
        yield from _limits_measured(report.evaluations[report.measured_split])
    yield "- Attention shows which tokens the network weighted. It does not prove why it decided."
    if report.has_wide_part:
        yield "- Attention does not show what the wide part added to the prediction."
    yield "- All tokens outside the vocabulary look alike to the network."
    yield "- It repeats the prejudices and the wrong labels of its corpus."
    if not report.multilabel:
        yield "- It always answers with one of its labels, even where none fits."


def _limits_measured(evaluation: Evaluation) -> Iterator[str]:
    few = [
        escaped(label)
        for label, scores in evaluation["by_label"].items()
        if scores["rows"] < _FEW_ROWS
    ]
    if few:
        yield (
            f"- Measured on fewer than {_FEW_ROWS} documents, so the scores are rough: "
            f"{', '.join(few)}."
        )
    for confusion in frequent_confusions(evaluation)[:1]:
        yield (
            f"- Its most frequent error: {percent(confusion.share)} of {escaped(confusion.truth)} "
            f"is predicted as {escaped(confusion.label)}."
        )


def _provenance(report: ModelReport) -> Iterator[str]:
    if report.command is not None:
        yield from fenced(report.command)
        yield ""
    yield f"- Seed: {report.seed}"
    if report.best_epoch is not None:
        yield f"- Epoch kept: {report.best_epoch}"
    for name, value in report.provenance.items():
        yield f"- {escaped(name)}: {escaped(value)}"
