"""Samples: a few documents of each split, with their text.

These are the documents with the smallest digests of their text, so the sample does not depend on
the order of the rows. Reports show the samples, and the golden documents of a model are taken from
them.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator

import pyarrow as pa

SAMPLE_ROWS = 400  # for each split
SAMPLE_CHARACTERS = 20_000  # longer texts are never sampled


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One sampled document."""

    digest: str
    split: str
    document_id: str
    text: str
    label: str | None


def sample_documents(documents: pa.RecordBatch) -> Iterator[tuple[str, list[Sample]]]:
    """Yields `(split, samples)`: the candidates of one batch.

    Args:
        documents: from `add_digests`, with splits assigned.
    """
    digests = [digest.hex() for digest in documents.column("digest").to_pylist()]
    names = ("split", "document_id", "text", "label")
    columns = [documents.column(name).to_pylist() for name in names]
    by_split: dict[str, list[Sample]] = {}
    for digest, *values in zip(digests, *columns, strict=True):
        sample = Sample(digest=digest, **dict(zip(names, values, strict=True)))
        if len(sample.text) <= SAMPLE_CHARACTERS:
            by_split.setdefault(sample.split, []).append(sample)
    for split, samples in by_split.items():
        yield split, select_samples([samples])


def select_samples(groups: Iterable[list[Sample]]) -> list[Sample]:
    """The `SAMPLE_ROWS` samples with the smallest digests, from several groups of one split."""
    return sorted((sample for group in groups for sample in group), key=_digest)[:SAMPLE_ROWS]


def samples_to_lines(samples: Iterable[Sample]) -> str:
    """The samples as JSON lines, sorted by split and digest."""
    ordered = sorted(samples, key=_split_digest)
    return "".join(json.dumps(dataclasses.asdict(sample)) + "\n" for sample in ordered)


def samples_from_lines(lines: str) -> list[Sample]:
    """Reads what `samples_to_lines` wrote."""
    return [Sample(**json.loads(line)) for line in lines.splitlines()]


def _digest(sample: Sample) -> tuple[str, str]:
    return sample.digest, sample.document_id


def _split_digest(sample: Sample) -> tuple[str, str, str]:
    return sample.split, *_digest(sample)
