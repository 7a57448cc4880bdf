"""The statistics of a dataset, computed from nested counts: `statistics.json`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from model.config import ResolvedTextConfig
from pipeline.config.inputs import SPLITS
from pipeline.corpora.preparing.labels import find_label_notes
from pipeline.corpora.reading.counts import add_counts, sort_by_count
from pipeline.process.printable import shortened

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)

# Each of these limits gives a warning.
MAJORITY_SHARE = 0.9  # of the documents of train, one label
IMBALANCE_RATIO = 10  # documents of train, the largest label by the smallest
FEW_DOCUMENTS = 10  # of train, with a label
TRUNCATION_SHARE = 0.1
UNKNOWN_SHARE = 0.05

LABELS_SHOWN = 5

# What it means if a split has no document, and what to do.
MISSING = {
    "validation": "No document is in validation, so training cannot choose its best epoch, stop "
    "early, or be measured on other documents. Add documents or an input with split: validation, "
    "or try a larger corpus.splits.validation.",
    "test": "No document is in test, so nothing measures the model on documents that played no "
    "part in its training. Add documents or an input with split: test, or try a larger "
    "corpus.splits.test.",
}


def summarize_dataset(
    counts: Mapping[str, Any],
    *,
    labels: Sequence[str],
    vocabulary_ids: int,
    text: ResolvedTextConfig,
    multilabel: bool,
) -> dict[str, Any]:
    """Summarizes the counts of a prepare run.

    Args:
        counts: `splits` from encoding, `duplicates`, `null_ids`, `rejected`, `files`.
        labels: the labels of the dataset, by index.
        vocabulary_ids: the size of the vocabulary, including the ids for padding and OOV.
        text: how the documents were encoded, for the warnings.
        multilabel: whether each document has a list of labels.

    Returns:
        Values for JSON: `splits` with documents, labels, scripts, quantiles of the lengths
        (in tokens, before truncation), OOV rate and truncation, and, if the corpus has a teacher's
        probabilities, how many documents have them (`soft_labels`) and how many have nothing else
        (`without_label`); `vocabulary_coverage`, the share of
        the training split's tokens, after truncation, that the vocabulary has; `duplicates`;
        `null_ids`; `rejected`; `rows_repaired`; `warnings`.
    """
    splits = {
        split: _summarize_split(counts["splits"][split], labels)
        for split in SPLITS
        if split in counts.get("splits", {})
    }
    summary: dict[str, Any] = {
        "labels": list(labels),
        "vocabulary_ids": vocabulary_ids,
        "vocabulary_coverage": 1 - splits["train"]["oov_rate"] if "train" in splits else 0.0,
        "splits": splits,
        "duplicates": counts.get("duplicates", {"within": {}, "across": {}}),
        "null_ids": counts.get("null_ids", {}),
        "rejected": counts.get("rejected", {}),
        "rows_repaired": sum(
            of_file.get("rows_repaired", 0) for of_file in counts.get("files", {}).values()
        ),
    }
    return {**summary, "warnings": [*_find_warnings(summary, text=text, multilabel=multilabel)]}


def _find_warnings(
    summary: Mapping[str, Any], *, text: ResolvedTextConfig, multilabel: bool
) -> Iterator[str]:
    """Sentences on properties of the data that may make a model worse, and the keys to change."""
    splits = summary["splits"]
    for split, of_split in splits.items():
        missing = [label for label, count in of_split["labels"].items() if not count]
        if missing and len(missing) < len(of_split["labels"]):  # others have only soft labels
            hint = ", or, if a hash chooses the split, try corpus.splits.stratify=true"
            yield (
                f"{split} has no document with label {_list(missing)}. Add some"
                f"{'' if split == 'train' or multilabel else hint}."
            )
    if "train" in splits:
        yield from (sentence for split, sentence in MISSING.items() if split not in splits)
        yield from _warn_of_labels(splits["train"]["labels"], multilabel=multilabel)
    labels = add_counts(of_split["labels"] for of_split in splits.values())
    yield from find_label_notes(labels, summary["null_ids"])
    yield from _warn_of_truncation(splits, text)
    yield from _warn_of_unknown_tokens(splits, text, vocabulary_ids=summary["vocabulary_ids"])
    across = summary["duplicates"].get("across", {})
    if across:
        pairs = ", ".join(f"{texts:,} in both {pair}" for pair, texts in across.items())
        yield (
            f"Splits share texts ({pairs}), which makes scores too high. Without "
            "corpus.columns.split, corpus.columns.group and the split of inputs, a hash of the "
            "text keeps copies in one split."
        )


def _list(labels: Sequence[str]) -> str:
    return ", ".join(map(shortened, labels[:LABELS_SHOWN]))


def _warn_of_labels(labels: Mapping[str, int], *, multilabel: bool) -> Iterator[str]:
    """Warns of labels of the training split that have too large or too small a share."""
    present = sorted((count, label) for label, count in labels.items() if count)
    if not present:
        return
    (least, _), (most, largest) = present[0], present[-1]
    share = most / sum(labels.values())
    if share > MAJORITY_SHARE and not multilabel:
        yield (
            f"{share:.0%} of the documents of train have the label {shortened(largest)}, so that "
            "accuracy says little. Try training.monitor=macro_f1 and "
            "training.class_weights=balanced."
        )
    elif most >= IMBALANCE_RATIO * least:
        yield (
            f"The largest class of train has {most / least:.0f} times as many documents as the "
            "smallest. Try training.monitor=macro_f1; training.class_weights=balanced gives every "
            "label the same weight."
        )
    few = [(count, label) for count, label in present if count < FEW_DOCUMENTS]
    if few:
        shown = ", ".join(f"{shortened(label)} ({count})" for count, label in few[:LABELS_SHOWN])
        yield (
            f"{len(few)} of {len(present)} labels have fewer than {FEW_DOCUMENTS} documents in "
            f"train{', such as' if len(few) > LABELS_SHOWN else ':'} {shown}. Add documents of "
            "them, or try training.class_weights=balanced."
        )


def _warn_of_truncation(
    splits: Mapping[str, Mapping[str, Any]], text: ResolvedTextConfig
) -> Iterator[str]:
    """Warns of splits of which the network does not read many documents to their end."""
    shares = {
        split: of_split["truncated_documents"] / max(of_split["documents"], 1)
        for split, of_split in splits.items()
    }
    shares = {split: share for split, share in shares.items() if share > TRUNCATION_SHARE}
    if shares:
        both_ends = " or text.cut=head+tail, which keeps both ends of a document"
        yield (
            f"{_list_shares(shares, 'documents')} are cut at text.max_tokens={text.max_tokens}. "
            f"Try text.max_tokens={2 * text.max_tokens}"
            f"{both_ends if text.cut != 'head+tail' else ''}."
        )


def _warn_of_unknown_tokens(
    splits: Mapping[str, Mapping[str, Any]], text: ResolvedTextConfig, *, vocabulary_ids: int
) -> Iterator[str]:
    """Warns of splits with many tokens that the vocabulary lacks."""
    shares = {
        split: of_split["oov_rate"]
        for split, of_split in splits.items()
        if of_split["oov_rate"] > UNKNOWN_SHARE
    }
    if not shares:
        return
    found = vocabulary_ids - text.oov_buckets - 1 - text.vector_tokens
    full = found >= text.vocabulary_size
    tries = [
        hint
        for hint, helps in {
            f"text.vocabulary_size={2 * text.vocabulary_size}": full,
            "text.min_frequency=1": text.min_frequency > 1,
            "text.lowercase=true": not text.lowercase,
            "text.fold_digits=true": not text.fold_digits,
        }.items()
        if helps
    ]
    advice = f"Try {' or '.join(tries)}" if tries else "Add text to train that has them"
    yield f"{_list_shares(shares, 'tokens')} are unknown. {advice}."


def _list_shares(shares: Mapping[str, float], what: str) -> str:
    """`{"train": 0.5, "test": 0.4}` -> "50% of the documents of train and 40% of test"."""
    first, *others = shares.items()
    parts = [
        f"{first[1]:.0%} of the {what} of {first[0]}",
        *(f"{share:.0%} of {split}" for split, share in others),
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if others else parts)


def _summarize_split(counts: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    return {
        "documents": counts["documents"],
        "labels": {label: counts["labels"].get(label, 0) for label in labels},
        "scripts": dict(sort_by_count(counts["scripts"])),
        "length_quantiles": _quantiles(counts["lengths"]),
        "tokens": counts["tokens"],
        "oov_rate": counts["oov_tokens"] / max(counts["tokens"], 1),
        "truncated_documents": counts["truncated_documents"],
        "truncated_tokens": counts["truncated_tokens"],
        **{name: counts[name] for name in ("soft_labels", "without_label") if name in counts},
    }


def _quantiles(histogram: Mapping[str, int]) -> dict[str, int]:
    """Quantiles of lengths from `{length: documents}`; between two lengths, the lower is taken."""
    lengths = np.array(sorted(int(length) for length in histogram), np.int64)
    cumulative = np.cumsum([histogram[str(length)] for length in lengths])
    positions = np.searchsorted(cumulative, np.array(QUANTILES) * (cumulative[-1] - 1), "right")
    return {f"{q:g}": int(lengths[at]) for q, at in zip(QUANTILES, positions, strict=True)}
