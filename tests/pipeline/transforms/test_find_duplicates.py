from pathlib import Path

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.duplicates import REPEATED_ROWS, key_documents
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.find_duplicates import FindDuplicates
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline

BATCHES = [
    make_documents(
        {"document_id": "a", "text": "one", "split": "train", "source_row": 0},
        {"document_id": "b", "text": "One", "split": "train", "source_row": 1},
        {"document_id": "a", "text": "two", "split": "test", "source_row": 2},
    ),
    make_documents(
        {"document_id": "a", "text": "one", "split": "test", "source_row": 3},
        {"document_id": "c", "text": "three", "split": "test", "source_row": 4},
    ),
]


def keys_of(batches: list[object]) -> list[object]:
    return [
        keyed for documents in batches for keyed in key_documents(add_digests(documents), buckets=8)
    ]


def test_repeats_are_found_across_batches(tmp_path: Path) -> None:
    path = tmp_path / "repeats.parquet"
    with local_pipeline() as root:
        counts = root | beam.Create(keys_of(BATCHES)) | FindDuplicates(str(path), BeamFiles())
        found = counts | beam.Filter(lambda counted: any(counted["duplicates"].values()))
        expected = {"within": {"train": 1}, "across": {"train and test": 1}}
        assert_that(found, equal_to([{"duplicates": expected}]))
    rows = pq.read_table(path, schema=REPEATED_ROWS).to_pylist()
    assert sorted(row["source_row"] for row in rows) == [2, 3]


@pytest.mark.parametrize("batches", [[], BATCHES[1:]])
def test_without_repeats_an_empty_file_is_written(tmp_path: Path, batches: list[object]) -> None:
    path = tmp_path / "repeats.parquet"
    with local_pipeline() as root:
        _ = root | beam.Create(keys_of(batches)) | FindDuplicates(str(path), BeamFiles())
    table = pq.read_table(path)
    assert table.schema == REPEATED_ROWS
    assert table.num_rows == 0
