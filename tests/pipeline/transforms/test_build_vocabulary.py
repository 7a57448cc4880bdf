from collections import Counter
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given
from hypothesis import strategies as st

from model.config import TextConfig
from model.tokenizer import Tokenizer
from pipeline.runs.files import read_lines
from pipeline.stages.filesystem import BeamFiles
from pipeline.transforms import build_vocabulary
from pipeline.transforms.build_vocabulary import BuildVocabulary, count_tokens, vocabulary_path
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline

TEXTS = ["B a c", "a b", "a z é 日日", "a,a"]
COUNTS = Counter({"a": 5, "b": 2, "日": 2, "c": 1, "z": 1, "é": 1, ",": 1})


def batches_of(texts: list[str]) -> list[tuple[int, pa.RecordBatch]]:
    """A batch a text, with texts of other splits that must not count."""
    return [
        (0, make_documents({"text": text, "split": "train"}, {"text": "x y", "split": "test"}))
        for text in texts
    ]


@given(st.lists(st.text(st.sampled_from("aAb ,日"), max_size=10), max_size=5))
def test_tokens_are_counted_as_one_by_one(texts: list[str]) -> None:
    tokenizer = Tokenizer(TextConfig())
    counted = count_tokens(pa.array(texts, pa.string()), tokenizer)
    tokens = tokenizer.tokenize(pa.array(texts, pa.string())).folded().to_pylist()
    expected = Counter(token for of_text in tokens for token in of_text)
    assert dict(zip(*counted.to_pydict().values(), strict=True)) == expected


@pytest.mark.parametrize(
    ("repeats", "bundle_tokens"),
    # All at once; on the way, for being too many; on the way, but few when merged.
    [(1, 1_000_000), (1, 4), (1, 1), (10, 20)],
)
def test_a_bundle_hands_on_its_counts_before_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch, repeats: int, bundle_tokens: int
) -> None:
    monkeypatch.setattr(build_vocabulary, "BUNDLE_TOKENS", bundle_tokens)
    monkeypatch.setattr(build_vocabulary, "BATCH_TOKENS", 3)

    def check(batches: list[pa.RecordBatch]) -> None:
        total: Counter[str] = Counter()
        for batch in batches:
            assert batch.schema == build_vocabulary.TOKEN_COUNTS
            assert 0 < batch.num_rows <= 3
            for row in batch.to_pylist():
                [token], [count] = row["token"], row["count"]
                total[token] += count
        assert total == {token: repeats * count for token, count in COUNTS.items()}

    with local_pipeline() as root:
        counted = (
            root
            | beam.Create(batches_of(TEXTS * repeats))
            | beam.ParDo(build_vocabulary._CountTokens(TextConfig()))
        )
        assert_that(counted, check)


def build(folder: Path, texts: list[str], **settings: Any) -> list[str]:
    with local_pipeline() as root:
        _ = (
            root
            | beam.Create(batches_of(texts))
            | BuildVocabulary(
                TextConfig(**settings),
                folder=str(folder / "transform"),
                temporary=str(folder / "temporary"),
            )
        )
    return read_lines(BeamFiles(), vocabulary_path(str(folder / "transform")))


def test_the_vocabulary_is_that_of_training_by_falling_frequency(tmp_path: Path) -> None:
    tokens = build(tmp_path / "1", TEXTS)
    assert set(tokens) == set(COUNTS)
    assert [COUNTS[token] for token in tokens] == sorted(COUNTS.values(), reverse=True)
    assert build(tmp_path / "2", TEXTS[::-1]) == tokens
    assert build(tmp_path / "3", TEXTS, vocabulary_size=3) == tokens[:3]
    assert build(tmp_path / "4", TEXTS, min_frequency=2) == tokens[:3]
