from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from model.config import TextConfig
from pipeline.corpora.preparing.token_counts import TOKEN_COUNTS
from pipeline.stages.vocabulary import build_vocabulary
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join
from tests.pipeline import object_store

COUNTS = {"日": 2, "c": 1, "a": 5, "b": 2, "é": 1, ",": 1}


@pytest.fixture(params=["local", "objects"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder, on disk and where TensorFlow cannot read or write."""
    object_store.OBJECTS.clear()
    return str(tmp_path) if request.param == "local" else "objects://bucket/folder"


def build(folder: str, counts: dict[str, int], **settings: Any) -> list[str]:
    path, files = join(folder, "counts.parquet"), BeamFiles()
    rows = [{"token": token, "count": count} for token, count in counts.items()]
    with files.create(path) as sink:
        pq.write_table(TOKEN_COUNTS.empty_table().from_pylist(rows, TOKEN_COUNTS), sink)
    return build_vocabulary(
        TextConfig(**settings), counts=path, folder=join(folder, "transform"), files=files
    )


def test_tokens_are_sorted_by_falling_frequency_in_any_filesystem(folder: str) -> None:
    tokens = build(folder, COUNTS)
    assert set(tokens) == set(COUNTS)
    assert [COUNTS[token] for token in tokens] == sorted(COUNTS.values(), reverse=True)
    assert BeamFiles().exists(join(folder, "transform/transform_fn/saved_model.pb"))


def test_the_order_of_equally_frequent_tokens_is_fixed(tmp_path: Path) -> None:
    tokens = build(str(tmp_path / "1"), COUNTS)
    assert build(str(tmp_path / "2"), dict(reversed(COUNTS.items()))) == tokens
    assert build(str(tmp_path / "3"), COUNTS, vocabulary_size=3) == tokens[:3]


def test_no_counts_make_no_vocabulary(tmp_path: Path) -> None:
    assert build(str(tmp_path), {}) == []
