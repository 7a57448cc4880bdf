"""Every real corpus is prepared with its config and has the row counts of its README."""

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.loading import load_config
from pipeline.config.sections import Config
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.reading.parts import FilePart
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from tests.end_to_end.same_ids import assert_same_ids

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FILES = BeamFiles()
SAME = 3_000  # documents of each file whose ids are compared with those of scoring


@dataclasses.dataclass(frozen=True)
class Facts:
    """The facts about a corpus in the README of the corpora.

    Attributes:
        read: rows by file.
        labels: the number of labels.
        rejected: rows by reason.
        repaired: rows in which U+FFFD replaces bytes that are not UTF-8.
        duplicates: rows of a file beyond the first of their text.
        shared: texts that both files have, compared without case and white space.
    """

    config: str
    read: Mapping[str, int]
    labels: int
    rejected: Mapping[str, int] = dataclasses.field(default_factory=dict)
    repaired: int = 0
    duplicates: Mapping[str, int] = dataclasses.field(default_factory=dict)
    shared: int = 0


CORPORA = (
    Facts(
        "guide_attention_2d",
        read={"train.jsonl.gz": 25_000, "test.jsonl.gz": 25_000},
        labels=2,
        duplicates={"train.jsonl.gz": 96, "test.jsonl.gz": 199},
        shared=123,
    ),
    Facts(
        "zhou2016_semeval", read={"TRAIN_FILE.TXT": 8_000, "TEST_FILE_FULL.TXT": 2_717}, labels=19
    ),
    Facts(
        "trec",
        read={"TREC.train": 5_452, "TREC.test": 500},
        labels=6,
        repaired=1,
        duplicates={"TREC.train": 71},
        shared=11,
    ),
    Facts(
        "sms_spam",
        read={"SMSSpamCollection": 5_574},
        labels=2,
        duplicates={"SMSSpamCollection": 403},
    ),
    Facts("tweet_sentiment", read={"train.csv": 27_481}, labels=3, rejected={"empty_text": 1}),
    Facts(
        "zh_shopping",
        read={"online_shopping_10_cats.csv.gz": 62_774},
        labels=10,
        rejected={"empty_text": 1},
    ),
)


@dataclasses.dataclass
class Found:
    """The content of one file, read without a pipeline."""

    texts: list[str]
    ids: list[str]
    rows_read: int
    rows_repaired: int
    rejected: Counter[str]


def read_whole(config: Config) -> dict[str, Found]:
    found = {}
    for item in find_input_files(FILES, config.corpus):
        part = FilePart(path=item.info.path, source_file=item.source_file, input=item.input)
        with FILES.open(part.path) as stream:
            batches = list(read_part(stream, part, corpus=config.corpus))
        found[item.source_file] = Found(
            texts=[text for each in batches for text in each.documents.column("text").to_pylist()],
            ids=[key for each in batches for key in each.documents.column(0).to_pylist()],
            rows_read=sum(each.rows_read for each in batches),
            rows_repaired=sum(each.rows_repaired for each in batches),
            rejected=Counter(
                reason
                for each in batches
                for reason in each.rejections.column("reason").to_pylist()
            ),
        )
    return found


def normalized(text: str) -> str:
    return " ".join(re.split(r"\s+", unicodedata.normalize("NFKD", text).lower())).strip()


def repeats(texts: list[str]) -> int:
    return len(texts) - len(set(texts))


@pytest.mark.slow
@pytest.mark.parametrize("facts", CORPORA, ids=lambda facts: facts.config)
def test_a_real_corpus_has_the_counts_of_its_readme(
    facts: Facts, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPORA", str(corpora))
    config = load_config(str(CONFIGS / f"{facts.config}.yaml"), [f"workspace={tmp_path}"])

    found = read_whole(config)
    assert {file: each.rows_read for file, each in found.items()} == facts.read
    assert sum((each.rejected for each in found.values()), Counter()) == facts.rejected
    assert sum(each.rows_repaired for each in found.values()) == facts.repaired
    for file, each in found.items():
        if file in facts.duplicates:
            assert repeats(each.texts) == facts.duplicates[file]

    dataset = prepare(config, beam_options=[], files=FILES)
    rows: dict[str, Any] = dict(dataset.manifest["rows"])
    assert rows["read"] == sum(facts.read.values())
    assert rows["rejected"] == facts.rejected
    assert rows["used"] == rows["read"] - sum(facts.rejected.values())
    assert len(dataset.labels) == facts.labels
    texts = {
        key: text
        for each in found.values()
        for key, text in zip(each.ids[:SAME], each.texts[:SAME], strict=True)
    }
    assert_same_ids(dataset, config, texts)
    statistics = dataset.statistics
    assert sum(each["documents"] for each in statistics["splits"].values()) == rows["used"]
    # The statistics compare normalized texts, which are equal a little more often.
    within = sum(statistics["duplicates"]["within"].values())
    assert within == sum(
        repeats([normalized(text) for text in each.texts]) for each in found.values()
    )
    assert sum(statistics["duplicates"]["across"].values()) == facts.shared
    if len(found) == 2:
        first, second = ({normalized(text) for text in each.texts} for each in found.values())
        assert len(first & second) == facts.shared
