import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from pipeline.config import CorpusConfig, InputConfig, SplitsConfig
from pipeline.corpora.duplicates import key_documents
from pipeline.corpora.splits import assign_splits, digest_texts
from pipeline.transforms.split_documents import SplitDocuments
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline, name_rows

SHARES = SplitsConfig(validation=0.3, test=0.3)
BATCHES = [
    (0, make_documents(*({"text": f"text {i}", "split": "train"} for i in range(20)))),
    (3, make_documents(*({"text": f"other {i}"} for i in range(20)))),
]


def test_the_transform_is_the_pure_function_batch_by_batch() -> None:
    corpus = CorpusConfig(inputs=(InputConfig(path="x", split="train"),), splits=SHARES)
    expected = []
    keys = []
    for unit, documents in BATCHES:
        digests = digest_texts(documents.column("text"))
        split = assign_splits(documents, digests, shares=SHARES, divide_training=True)
        expected += list(name_rows((unit, split), "document_id", "split"))
        keys += [(key, batch.to_pylist()) for key, batch in key_documents(split, digests)]
    assert {split for _, _, split in expected} == {"train", "validation", "test"}
    with local_pipeline() as root:
        split = root | beam.Create(BATCHES) | SplitDocuments(corpus)
        named = split.documents | beam.FlatMap(name_rows, "document_id", "split")
        assert_that(named, equal_to(expected), label="documents")
        plain = split.keys | beam.MapTuple(lambda key, batch: (key, batch.to_pylist()))
        assert_that(plain, equal_to(keys), label="keys")
