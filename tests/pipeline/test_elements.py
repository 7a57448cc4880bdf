"""The coder decodes what it encoded and tells the size of a batch without encoding it."""

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.units import Unit
from pipeline.elements import RecordBatchCoder, UnitBatch
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.read_documents import ReadDocuments

BATCH = pa.record_batch(
    {
        "text": pa.array(["a", None, "\x00é"]),
        "tokens": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
        "score": pa.array([0.5, float("inf"), None], pa.float32()),
    }
).replace_schema_metadata({"labels": "x"})


@pytest.mark.parametrize("batch", [BATCH, BATCH.slice(1, 1), BATCH.slice(0, 0)])
def test_a_batch_is_decoded_as_it_was_encoded(batch: pa.RecordBatch) -> None:
    coder = RecordBatchCoder()
    decoded = coder.decode(coder.encode(batch))
    assert decoded.equals(batch, check_metadata=True)


def test_its_size_is_near_what_is_encoded() -> None:
    batch = pa.record_batch({"number": pa.array(range(10_000))})
    coder = RecordBatchCoder()
    assert coder.estimate_size(batch) == pytest.approx(len(coder.encode(batch)), rel=0.05)
    assert coder.estimate_size(batch.slice(0, 10)) < 200


def test_batches_pass_a_shuffle() -> None:
    def size(element: UnitBatch) -> tuple[int, int]:
        return element[0], element[1].num_rows

    with TestPipeline() as root:
        batches = root | beam.Create([(1, BATCH)]).with_output_types(UnitBatch)
        assert_that(batches | beam.Reshuffle() | beam.Map(size), equal_to([(1, 3)]))


def test_documents_have_the_coder() -> None:
    root = beam.Pipeline()
    corpus = CorpusConfig(inputs=(InputConfig(path="a.jsonl"),))
    units = root | beam.Create([Unit(index=0, parts=())])
    read = units | ReadDocuments(corpus, BeamFiles())
    for batches in (read.documents, read.rejections):
        coder = beam.coders.registry.get_coder(batches.element_type)
        assert [type(part) for part in coder.coders()] == [
            beam.coders.VarIntCoder,
            RecordBatchCoder,
        ]
