"""A small corpus with the defects of real ones, and readers of the dataset made from it."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join, read_lines
from tests.json_lines import write_json_lines
from tests.pipeline.examples import read_records

FILES = BeamFiles()
MAX_TOKENS = 8

Row = dict[str, Any]


WORDS = (
    *("the", "refund", "Invoice", "login", "Passwort", "ok", "café"),
    *("退款", "密码", "ราคา", "مرحبا", "👍🏽", "!", ","),
)


def make_tickets() -> list[Row]:
    """Tickets in three classes and four scripts: repeated, blank, without a label, duplicated."""
    rng = random.Random(7)  # noqa: S311
    rows = [
        {
            "id": f"t{index}",
            "text": " ".join(rng.choices(WORDS, k=rng.randint(1, 12))) + f" n{index % 90}",
            "label": rng.choice(["billing", "access", "other"]),
        }
        for index in range(150)
    ]
    rows.append(dict(rows[3]))  # the same ticket once more
    rows.append({"id": "blank", "text": " \t", "label": "other"})
    rows.append({"id": "bare", "text": "no label"})
    rows.append({"id": "dup", "text": "  " + str(rows[5]["text"]).upper(), "label": "other"})
    return rows


ROWS = make_tickets()
REJECTED = {"blank": "empty_text", "bare": "unknown_label", "t3": "duplicate_id"}


def write_corpus(folder: Path, rows: Sequence[Row], *, files: int = 1) -> str:
    """Writes the rows, in order, into so many files; returns a pattern that matches them."""
    folder.mkdir(parents=True)
    for number in range(files):
        part = rows[number * len(rows) // files : (number + 1) * len(rows) // files]
        write_json_lines(folder / f"part-{number}.jsonl", part)
    return str(folder / "*.jsonl")


def small_config(workspace: Path, given: str | dict[str, Any], *overrides: str) -> Config:
    """A config for a pattern of files, or for another input given by its keys."""
    values = {
        "workspace": str(workspace),
        "corpus": {
            "inputs": [{"path": given} if isinstance(given, str) else given],
            "columns": {"id": "id"},
            "splits": {"validation": 0.2, "test": 0.2},
            "max_rejected_fraction": 0.05,
        },
        "text": {"max_tokens": MAX_TOKENS, "vocabulary_size": 60},
    }
    return build_config(values, overrides, where="test")


def run(config: Config, *beam_options: str) -> Dataset:
    return prepare(config, beam_options=beam_options, files=FILES)


def serialized(dataset: Dataset) -> Counter[tuple[str, bytes]]:
    """The multiset of example bytes, by split."""
    return Counter(
        (split, record)
        for split in ("train", "validation", "test")
        for path in dataset.shards(split)
        for record in read_records(path)
    )


def vocabulary_of(dataset: Dataset) -> list[str]:
    return read_lines(FILES, dataset.files.vocabulary)


def rejections_in(lies: DatasetFiles) -> list[Row]:
    return [
        row
        for info in FILES.match(join(lies.rejected, "*.parquet"))
        for row in pq.read_table(info.path).to_pylist()
    ]
