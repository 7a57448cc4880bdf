from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.testing.util import assert_that, equal_to

from model.config import ResolvedTextConfig
from model.text.vocabulary import Vocabulary
from pipeline.corpora.preparing.duplicates import REPEATED_ROWS
from pipeline.corpora.preparing.encoding import DocumentEncoder, ExampleLayout
from pipeline.corpora.preparing.survey import SurveyFiles
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join, write_lines
from pipeline.transforms.encode_documents import EncodeDocuments
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline, name_rows

FILES = BeamFiles()
TEXT = ResolvedTextConfig(max_tokens=3)
TOKENS, LABELS = ["good", "bad"], ["neg", "pos"]

DOCUMENTS = make_documents(
    {"document_id": "a", "text": "good day", "label": "pos", "split": "train"},
    {"document_id": "b", "text": "bad", "label": "neg", "split": "test"},
    {"document_id": "a", "text": "good", "label": "pos", "split": "train"},
    {"document_id": "c", "text": "bad", "label": "?", "split": "train"},
    {"document_id": "d", "text": " ", "label": "neg", "split": "train"},
)


def write_survey(folder: Path) -> SurveyFiles:
    survey = SurveyFiles(
        vocabulary=join(str(folder), "vocabulary.txt"),
        labels=join(str(folder), "labels.txt"),
        repeats=join(str(folder), "repeats.parquet"),
    )
    write_lines(FILES, survey.vocabulary, TOKENS)
    write_lines(FILES, survey.labels, LABELS)
    repeats = [{"source_file": "file", "source_row": 2}]
    pq.write_table(pa.Table.from_pylist(repeats, REPEATED_ROWS), survey.repeats)
    return survey


def test_documents_are_encoded_with_what_the_survey_found(tmp_path: Path) -> None:
    transform = EncodeDocuments(TEXT, ExampleLayout(), write_survey(tmp_path), FILES)
    encoder = DocumentEncoder(
        TEXT, vocabulary=Vocabulary(TOKENS, oov_buckets=1), labels=LABELS, layout=ExampleLayout()
    )
    expected = encoder.encode(DOCUMENTS.slice(0, 2))
    assert sorted(expected.examples) == ["test", "train"]
    with local_pipeline() as root:
        encoded = root | beam.Create([(7, DOCUMENTS)]) | transform
        assert_that(encoded.examples, equal_to([(7, expected.examples)]), label="examples")
        ids = encoded.documents | beam.Map(lambda batch: batch.column("document_id").to_pylist())
        assert_that(ids, equal_to([["a", "b"]]), label="documents")
        rejections = encoded.rejections | beam.FlatMap(
            name_rows, "document_id", "source_row", "reason"
        )
        assert_that(
            rejections,
            equal_to(
                [
                    (7, "a", 2, "duplicate_id"),
                    (7, "c", 3, "unknown_label"),
                    (7, "d", 4, "empty_text"),
                ]
            ),
            label="rejections",
        )
        assert_that(
            encoded.counts,
            equal_to([expected.counts, {"files": {"file": {"rows_used": 2}}}]),
            label="counts",
        )
