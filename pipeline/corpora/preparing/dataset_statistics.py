"""The statistics of a dataset, computed from nested counts: `statistics.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.config.inputs import SPLITS
from pipeline.corpora.reading.counts import sort_by_count

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)

# A value above one of these limits gives a warning.
IMBALANCE_RATIO = 10
TRUNCATION_SHARE = 0.1
OOV_SHARE = 0.1


def summarize_dataset(
    counts: Mapping[str, Any], *, labels: Sequence[str], vocabulary_ids: int
) -> dict[str, Any]:
    """Summarizes the counts of a prepare run.

    Args:
        counts: `splits` from encoding, `duplicates`, `rejected`, `files`.
        labels: the labels of the dataset, by index.
        vocabulary_ids: the size of the vocabulary, including the ids for padding and OOV.

    Returns:
        Values for JSON: `splits` with documents, labels, scripts, quantiles of the lengths
        (in tokens, before truncation), OOV rate and truncation, and, if the corpus has a teacher's
        probabilities, how many documents have them (`soft_labels`) and how many have nothing else
        (`without_label`); `vocabulary_coverage`, the share of
        the training split's tokens, after truncation, that the vocabulary has; `duplicates`;
        `rejected`; `rows_repaired`; `warnings`.
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
        "rejected": counts.get("rejected", {}),
        "rows_repaired": sum(
            of_file.get("rows_repaired", 0) for of_file in counts.get("files", {}).values()
        ),
    }
    return {**summary, "warnings": find_warnings(summary)}


def find_warnings(summary: Mapping[str, Any]) -> list[str]:
    """One sentence for each property of the data that may make a model worse."""
    found = []
    for split, of_split in summary["splits"].items():
        present = {label: count for label, count in of_split["labels"].items() if count}
        missing = [label for label in summary["labels"] if label not in present]
        if missing and present:  # documents may have only a teacher's probabilities
            found.append(f"{split} has no document with label {', '.join(missing[:5])}.")
        if split == "train" and present:
            most, least = max(present.values()), min(present.values())
            if most >= IMBALANCE_RATIO * least:
                found.append(
                    f"The largest class of train has {most / least:.0f} times as many documents "
                    "as the smallest."
                )
        share = of_split["truncated_documents"] / max(of_split["documents"], 1)
        if share > TRUNCATION_SHARE:
            found.append(f"{share:.0%} of the documents of {split} are cut at max_tokens.")
        if of_split["oov_rate"] > OOV_SHARE:
            found.append(f"{of_split['oov_rate']:.0%} of the tokens of {split} are unknown.")
    for pair, texts in summary["duplicates"].get("across", {}).items():
        found.append(f"{texts:,} texts are in both {pair}.")
    if summary["rows_repaired"]:
        found.append(
            f"In {summary['rows_repaired']:,} row{'s' if summary['rows_repaired'] > 1 else ''}, "
            "bytes that could not be decoded were replaced by U+FFFD."
        )
    return found


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
