from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from model.config import TextConfig
from pipeline.corpora.preparing.duplicates import REPEATED_ROWS
from pipeline.corpora.preparing.survey import RepeatedRows, SurveyFiles
from pipeline.schemas import REJECTIONS
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join, write_lines
from tests.pipeline.batches import make_documents


def repeats_of(*rows: tuple[str, int]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"source_file": file, "source_row": row} for file, row in rows], REPEATED_ROWS
    )


def test_rows_are_removed_by_file_and_number() -> None:
    repeats = RepeatedRows([repeats_of(("a", 1), ("b", 0)), repeats_of(("a", 5))])
    documents = make_documents(
        *({"source_file": "a", "source_row": row} for row in (0, 1, 4, 5)),
    )
    used, rejections = repeats.remove(documents)
    assert used.column("source_row").to_pylist() == [0, 4]
    assert rejections.schema == REJECTIONS
    assert rejections.column("source_row").to_pylist() == [1, 5]
    assert set(rejections.column("reason").to_pylist()) == {"duplicate_id"}


def test_a_batch_may_hold_rows_of_several_files() -> None:
    repeats = RepeatedRows([repeats_of(("a", 1), ("b", 0), ("c", 2))])
    places = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("d", 0), ("c", 1), ("c", 2)]
    documents = make_documents(
        *({"source_file": file, "source_row": row} for file, row in places),
    )
    used, rejections = repeats.remove(documents)
    assert rejections.column("source_file").to_pylist() == ["a", "b", "c"]
    assert rejections.column("source_row").to_pylist() == [1, 0, 2]
    assert used.num_rows == 4


def test_a_file_without_repeats_keeps_its_rows() -> None:
    documents = make_documents({"source_file": "c"}, {"source_file": "c"})
    for repeats in (RepeatedRows([]), RepeatedRows([repeats_of(("a", 0), ("b", 1))])):
        used, rejections = repeats.remove(documents)
        assert used == documents
        assert rejections.num_rows == 0


def test_an_empty_batch_stays_empty() -> None:
    used, rejections = RepeatedRows([repeats_of(("a", 1))]).remove(make_documents())
    assert (used.num_rows, rejections.num_rows) == (0, 0)


def test_a_survey_is_read_back_from_its_files(tmp_path: Path) -> None:
    files = BeamFiles()
    lies = SurveyFiles(
        vocabulary=join(str(tmp_path), "vocabulary.txt"),
        labels=join(str(tmp_path), "labels.txt"),
        repeats=join(str(tmp_path), "repeats.parquet"),
    )
    write_lines(files, lies.vocabulary, ["the", "\u2028", "\x85", "日"])
    write_lines(files, lies.labels, ["a b", "c\rd"])
    pq.write_table(pa.Table.from_batches([repeats_of(("a", 1))]), lies.repeats)
    survey = lies.load(files, TextConfig(oov_buckets=2))
    assert survey.vocabulary.tokens == ("the", "\u2028", "\x85", "日")
    assert survey.vocabulary.oov_buckets == 2
    assert survey.labels == ("a b", "c\rd")
    used, _ = survey.repeats.remove(make_documents({"source_file": "a"}, {"source_file": "a"}))
    assert used.column("source_row").to_pylist() == [0]
