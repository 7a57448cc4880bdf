"""The section Data of a model card."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.reports.content import DataStatistics
from pipeline.reports.formats import count, percent
from pipeline.reports.markdown import escaped, table
from pipeline.reports.model_report import ModelReport


def describe_data(report: ModelReport) -> Iterator[str]:
    """The lines of the section: rows, documents by label, lengths, splits, vocabulary."""
    statistics = report.statistics
    splits = list(statistics.splits.values())
    used = sum(split.documents for split in splits)
    rejected = sum(group.rows for group in report.rejections)
    yield f"{count(report.rows_read)} rows read, {count(used)} used, {count(rejected)} rejected."
    yield ""
    yield from _tables(statistics)
    yield ""
    yield _splits(report)
    yield ""
    yield f"Vocabulary: {count(statistics.vocabulary_ids)} entries, all from the training split."
    if report.vectors is not None:
        yield ""
        yield _word_vectors(report.vectors)
    if report.encoder is not None:
        yield ""
        yield _encoder(report.encoder)
    if report.rejections:
        yield ""
        yield from table(
            ["Reason for rejection", "Rows"],
            [[escaped(group.reason), count(group.rows)] for group in report.rejections],
        )


def _tables(statistics: DataStatistics) -> Iterator[str]:
    """Documents by split and label, then lengths by split."""
    splits = list(statistics.splits.values())
    without = ["only soft labels", *(count(split.without_label) for split in splits)]
    yield from table(
        ["Label", *(escaped(split) for split in statistics.splits)],
        [
            [escaped(label), *(count(split.labels.get(label, 0)) for split in splits)]
            for label in statistics.labels
        ]
        + ([without] if statistics.some_lack_labels else [])
        + [["**All**", *(count(split.documents) for split in splits)]],
    )
    yield ""
    yield from table(
        ["Split", "Median tokens", "Longest", "OOV rate", "Truncated documents"],
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


def _word_vectors(vectors: Mapping[str, Any]) -> str:
    """The file of word vectors that the embedding started from."""
    return (
        f"Word vectors: the embedding started from {escaped(vectors['file'])}, which has "
        f"{count(vectors['found'])} of the vocabulary's {count(vectors['tokens'])} tokens "
        f"(digest {escaped(vectors['digest'])})."
    )


def _encoder(encoder: Mapping[str, Any]) -> str:
    """The pretrained encoder that the network started from."""
    return (
        f"Pretrained: LSTM and word vectors started from {escaped(encoder['folder'])}, which has "
        f"{count(encoder['found'])} of the vocabulary's {count(encoder['tokens'])} tokens "
        f"(digest {escaped(encoder['digest'])})."
    )


def _splits(report: ModelReport) -> str:
    """How the documents were assigned to splits, according to the config."""
    corpus = report.config.get("corpus", {})
    given = {each.get("split") for each in corpus.get("inputs", ())} - {None}
    columns = corpus.get("columns", {})
    if columns.get("split"):
        return "Splits: as in a column of the corpus."
    shares = corpus.get("splits", {})
    drawn = [
        f"{percent(shares[split])} {split}"
        for split in ("validation", "test")
        if split not in given and shares.get(split) and (split in report.statistics.splits)
    ]
    named = f"{' and '.join(sorted(given))} as given in the corpus" if given else ""
    key = "group" if columns.get("group") else "text"
    rest = f"{' and '.join(drawn)} by a hash of the {key}, equal ones in one split" if drawn else ""
    return f"Splits: {'; '.join(part for part in (named, rest) if part) or 'none'}."
