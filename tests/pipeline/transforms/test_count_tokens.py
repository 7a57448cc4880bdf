from collections import Counter
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that

from model.config import TextConfig
from pipeline.corpora.preparing import token_counts
from pipeline.corpora.reading.counts import add_counts
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms import count_tokens
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline

TEXTS = ["B a c", "a b", "a z é 日日", "a,a"]
COUNTS = Counter({"a": 5, "b": 2, "日": 2, "c": 1, "z": 1, "é": 1, ",": 1})


def batches_of(texts: list[str]) -> list[tuple[int, pa.RecordBatch]]:
    """One batch for each text, with a text of another split that must not count."""
    return [
        (0, make_documents({"text": text, "split": "train"}, {"text": "x y", "split": "test"}))
        for text in texts
    ]


@pytest.mark.parametrize(
    ("repeats", "counter_tokens"),
    # Handed on at the end of the bundle; earlier, because too many; merged, because few remain.
    [(1, 1_000_000), (1, 4), (1, 1), (10, 20)],
)
def test_a_bundle_yields_its_counts_before_it_holds_too_many(
    monkeypatch: pytest.MonkeyPatch, repeats: int, counter_tokens: int
) -> None:
    monkeypatch.setattr(token_counts, "COUNTER_TOKENS", counter_tokens)

    def check(parts: list[tuple[int, pa.Table]]) -> None:
        total: Counter[str] = Counter()
        part_of: dict[str, int] = {}
        for part, table in parts:
            for row in table.to_pylist():
                total[row["token"]] += row["count"]
                assert part_of.setdefault(row["token"], part) == part
        assert total == {token: repeats * count for token, count in COUNTS.items()}

    with local_pipeline() as root:
        counted = (
            root
            | beam.Create(batches_of(TEXTS * repeats))
            | beam.ParDo(count_tokens._CountTokens(TextConfig())).with_outputs(main="tokens")
        )
        assert_that(counted.tokens, check)


def write_counts(path: Path, texts: list[str], **settings: Any) -> dict[str, int]:
    """The counts in the file; checks the lengths that the transform returns."""
    expected = Counter(str(len(text.replace(" ", ""))) for text in texts)

    def check(counts: list[dict[str, Any]]) -> None:
        assert add_counts(counts) == ({"train_lengths": expected} if texts else {})

    with local_pipeline() as root:
        lengths = (
            root
            | beam.Create(batches_of(texts))
            | count_tokens.CountTokens(TextConfig(**settings), str(path), BeamFiles())
        )
        assert_that(lengths, check)
    columns = pq.read_table(path).to_pydict()
    return dict(zip(columns["token"], columns["count"], strict=True))


def test_the_tokens_that_a_vocabulary_may_hold_are_written(tmp_path: Path) -> None:
    path = tmp_path / "counts.parquet"
    assert write_counts(path, TEXTS) == COUNTS
    assert write_counts(path, TEXTS, vocabulary_size=1) == {"a": 5}
    assert write_counts(path, TEXTS, vocabulary_size=2) == {"a": 5, "b": 2, "日": 2}
    assert write_counts(path, TEXTS, min_frequency=2) == {"a": 5, "b": 2, "日": 2}
    assert write_counts(path, TEXTS, min_frequency=9) == {}
    assert write_counts(path, []) == {}
