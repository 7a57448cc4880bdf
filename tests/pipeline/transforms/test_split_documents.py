from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig, SplitsConfig
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.duplicates import key_documents
from pipeline.corpora.preparing.splits import assign_splits
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.find_strata import FindStrata
from pipeline.transforms.split_documents import SplitDocuments
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline, name_rows

SHARES = SplitsConfig(validation=0.3, test=0.3)
BATCHES = [
    (0, make_documents(*({"text": f"text {i}", "split": "train"} for i in range(20)))),
    (3, make_documents(*({"text": f"other {i}"} for i in range(20)))),
]
CORPUS = CorpusConfig(inputs=(InputConfig(path="x", split="train"),), splits=SHARES)


def test_each_batch_is_split_as_by_assign_splits() -> None:
    expected = []
    keys = []
    for unit, documents in BATCHES:
        documents = add_digests(documents)
        split = assign_splits(documents, validation=0.3, test=0.6, divide_training=True)
        expected += list(name_rows((unit, split), "document_id", "split", "digest"))
        keys += [(key, batch.to_pylist()) for key, batch in key_documents(split, buckets=8)]
    assert {row[2] for row in expected} == {"train", "validation", "test"}
    with local_pipeline() as root:
        split = root | beam.Create(BATCHES) | SplitDocuments(CORPUS, BeamFiles(), buckets=8)
        named = split.documents | beam.FlatMap(name_rows, "document_id", "split", "digest")
        assert_that(named, equal_to(expected), label="documents")
        plain = split.keys | beam.MapTuple(lambda key, batch: (key, batch.to_pylist()))
        assert_that(plain, equal_to(keys), label="keys")


@pytest.mark.parametrize("batch_rows", [25, 1000])
def test_stratified_splits_have_the_shares_of_every_label(tmp_path: Path, batch_rows: int) -> None:
    path = str(tmp_path / "strata.json")
    rows = [
        {"text": f"{label} {i}", "label": label}
        for label, count in (("common", 800), ("rare", 20), ("single", 1))
        for i in range(count)
    ]
    rows.append({"text": "nobody said"})
    batches = [
        (start, make_documents(*rows[start : start + batch_rows]))
        for start in range(0, len(rows), batch_rows)
    ]
    corpus = CorpusConfig(inputs=(InputConfig(path="x"),), splits=SHARES)
    with local_pipeline() as root:
        _ = root | beam.Create(batches) | FindStrata(corpus, path, BeamFiles(), buckets=8)
    expected = [
        (("common", "validation"), 240),
        (("common", "test"), 240),
        (("common", "train"), 320),
        (("rare", "validation"), 6),
        (("rare", "test"), 6),
        (("rare", "train"), 8),
        (("single", "train"), 1),
    ]
    with local_pipeline() as root:
        split = root | beam.Create(batches) | SplitDocuments(corpus, BeamFiles(), 8, path)
        counted = (
            split.documents
            | beam.FlatMap(name_rows, "label", "split")
            | beam.Map(lambda row: (row[1], row[2]))
            | beam.Filter(lambda row: row[0] is not None)
            | beam.combiners.Count.PerElement()
        )
        assert_that(counted, equal_to(expected))
