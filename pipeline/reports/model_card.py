"""The model card: what a reader needs to judge a model by, in Markdown.

The sections follow Mitchell et al., "Model Cards for Model Reporting" (FAT*
2019), as far as a program can know them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from model.metrics.evaluation import Evaluation
from model.metrics.names import SCORES
from pipeline.reports.confusion_matrix import frequent_confusions
from pipeline.reports.formats import count, decimal, moment, percent
from pipeline.reports.markdown import escaped, fenced, table
from pipeline.reports.model_report import ModelReport
from pipeline.training.trial_scores import summarize_trials

_Scores = Mapping[str, Mapping[str, Any]]  # evaluations by split, for keys that vary
_FEW_ROWS = 50  # below this a score of a label is little more than an anecdote
_LABELS_NAMED = 12


def render_model_card(report: ModelReport) -> str:
    """A Markdown page; text that came from the corpus is escaped."""
    choice = f"{'any' if report.multilabel else 'one'} of {count(len(report.statistics.labels))}"
    lines = [
        f"# {escaped(report.model_version)}",
        "",
        f"Made {moment(report.created)}. An LSTM network that gives a text "
        f"{choice} labels, a probability for each, and a weight for every token.",
    ]
    for title, section in (
        ("Intended use", _intended_use(report)),
        ("Data", _data(report)),
        ("Metrics", _metrics(report)),
        ("Limits", _limits(report)),
        ("How to reproduce", _reproduction(report)),
    ):
        lines += ["", f"## {title}", "", *section]
    return "\n".join(lines) + "\n"


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


def _data(report: ModelReport) -> Iterator[str]:
    statistics = report.statistics
    splits = list(statistics.splits.values())
    used = sum(split.documents for split in splits)
    rejected = sum(group.rows for group in report.rejections)
    yield f"{count(report.rows_read)} rows read, {count(used)} used, {count(rejected)} rejected."
    yield ""
    yield from table(
        ["Label", *(escaped(split) for split in statistics.splits)],
        [
            [escaped(label), *(count(split.labels.get(label, 0)) for split in splits)]
            for label in statistics.labels
        ]
        + [["**All**", *(count(split.documents) for split in splits)]],
    )
    yield ""
    yield from table(
        ["Split", "Median tokens", "Longest", "Unknown tokens", "Cut documents"],
        [
            [
                escaped(name),
                count(split.length_quantiles["0.5"]),
                count(split.length_quantiles["1"]),
                percent(split.oov_rate),
                count(split.truncated_documents),
            ]
            for name, split in statistics.splits.items()
        ],
    )
    yield ""
    yield _splits(report)
    yield ""
    yield f"Vocabulary: {count(statistics.vocabulary_ids)} entries, from the training split alone."
    if report.vectors is not None:
        vectors = report.vectors
        yield ""
        yield (
            f"Word vectors: the embedding began with {escaped(vectors['file'])}, which has "
            f"{count(vectors['found'])} of the vocabulary's {count(vectors['tokens'])} tokens "
            f"(digest {escaped(vectors['digest'])})."
        )
    if report.rejections:
        yield ""
        yield from table(
            ["Rejected because", "Rows"],
            [[escaped(group.reason), count(group.rows)] for group in report.rejections],
        )


def _splits(report: ModelReport) -> str:
    """How the documents came to their splits, as the config says."""
    corpus = report.config.get("corpus", {})
    given = {each.get("split") for each in corpus.get("inputs", ())} - {None}
    columns = corpus.get("columns", {})
    if columns.get("split"):
        return "Splits: as a column of the corpus gives them."
    shares = corpus.get("splits", {})
    drawn = [
        f"{percent(shares[split])} {split}"
        for split in ("validation", "test")
        if split not in given and shares.get(split) and (split in report.statistics.splits)
    ]
    named = f"{' and '.join(sorted(given))} as the corpus gives them" if given else ""
    by = "group, its documents" if columns.get("group") else "text, its copies"
    rest = f"{' and '.join(drawn)} drawn by a hash of the {by} together" if drawn else ""
    return f"Splits: {'; '.join(part for part in (named, rest) if part) or 'none'}."


def _metrics(report: ModelReport) -> Iterator[str]:
    judged_on = report.judged_on
    yield escaped(report.judgment)
    if judged_on is None:
        return
    yield ""
    evaluation = report.evaluations[judged_on]
    names = [name for name in SCORES if name in evaluation]
    yield from table(
        [
            "Split",
            "Documents",
            *(SCORES[name][0].upper() + SCORES[name][1:] for name in names),
            "Log loss",
        ],
        [
            [
                escaped(split),
                count(scores["rows"]),
                *(percent(scores[name]) for name in names),
                decimal(scores["loss"]),
            ]
            for split, scores in cast(_Scores, report.evaluations).items()
        ],
    )
    yield ""
    yield f"By label, on {escaped(judged_on)}:"
    yield ""
    yield from table(
        ["Label", "Documents", "Precision", "Recall", "F1"],
        [
            [
                escaped(label),
                count(scores["rows"]),
                percent(scores["precision"]),
                percent(scores["recall"]),
                percent(scores["f1"]),
            ]
            for label, scores in evaluation["by_label"].items()
        ],
    )
    yield from _calibration(evaluation, multilabel=report.multilabel)
    yield from _seeds(report)


def _calibration(evaluation: Evaluation, *, multilabel: bool) -> Iterator[str]:
    calibration = evaluation.get("calibration")
    if calibration is None:
        return
    error = percent(calibration["expected_calibration_error"])
    yield ""
    asked = (
        "a label is right, by its probability"
        if multilabel
        else "the model is right, by the probability of its label"
    )
    yield f"Calibration: the expected calibration error is {error}. How often {asked}:"
    yield ""
    yield from table(
        ["Probability", "Answers", "Mean probability", "Right"],
        [
            [
                f"{percent(row['lower'])} to {percent(row['upper'])}",
                count(row["rows"]),
                percent(row["confidence"]),
                percent(row["accuracy"]),
            ]
            for row in calibration["bins"]
            if row["confidence"] is not None and row["accuracy"] is not None
        ],
    )


def _seeds(report: ModelReport) -> Iterator[str]:
    """The mean of the trainings that this one was chosen from, which is not flattered."""
    scores = [
        score
        for score in summarize_trials(report.trials)
        if (score.variant, score.split) == (report.variant, report.judged_on)
        and score.metric in SCORES
    ]
    if scores:
        seeds = sum(trial.variant == report.variant for trial in report.trials)
        means = ", ".join(
            f"{SCORES[score.metric]} {percent(score.mean)} ± {percent(score.deviation)}"
            for score in scores
        )
        yield ""
        yield (
            f"Over {seeds} seeds, of which validation chose this one: {means} (mean and standard "
            "deviation)."
        )


def _limits(report: ModelReport) -> Iterator[str]:
    for warning in report.warnings:
        yield f"- {escaped(warning)}"
    if report.judged_on is not None:
        yield from _limits_measured(report.evaluations[report.judged_on])
    yield "- Attention shows where the network looked. It does not prove why it decided."
    yield "- A token outside the vocabulary is only known to be unknown."
    yield "- It repeats what its corpus holds, prejudice and wrong labels included."
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
            f"- Judged on fewer than {_FEW_ROWS} documents, so the scores are rough: "
            f"{', '.join(few)}."
        )
    for confusion in frequent_confusions(evaluation)[:1]:
        yield (
            f"- Its most frequent mistake: {escaped(confusion.truth)} taken for "
            f"{escaped(confusion.label)}, {percent(confusion.share)} of that label."
        )


def _reproduction(report: ModelReport) -> Iterator[str]:
    if report.command is not None:
        yield from fenced(report.command)
        yield ""
    yield f"- Seed: {report.seed}"
    yield f"- Epoch kept: {report.best_epoch}"
    for name, value in report.provenance.items():
        yield f"- {escaped(name)}: {escaped(value)}"
