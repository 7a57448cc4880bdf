"""The transforms that write one small file: counts, lists, samples, galleries."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.testing.util import assert_that, equal_to

from model.scoring.engine_scorer import EngineScorer
from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.samples import sample_documents, samples_to_lines, select_samples
from pipeline.corpora.reading.accounting import count_rejected
from pipeline.corpora.reading.rejections import reject_documents
from pipeline.corpora.scoring.gallery import (
    gallery_from_lines,
    most_and_least_certain,
    select_extremes,
)
from pipeline.corpora.scoring.predictions import PredictionContext
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import read_json, read_lines
from pipeline.storage.staged_lists import read_staged_list
from pipeline.storage.staging import StagedFile
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.sample_documents import SampleDocuments
from pipeline.transforms.write_gallery import WriteGallery
from tests.pipeline.batches import make_documents
from tests.pipeline.tiny_model import LengthEngine, unsaved_bundle
from tests.pipeline.transforms.local_beam import local_pipeline

FILES = BeamFiles()


def test_rejections_are_counted_batch_by_batch() -> None:
    documents = make_documents({}, {}, {"source_file": "other"})
    batches = [
        reject_documents(documents, np.array(mask), reason=reason, detail="")
        for mask, reason in (([True, True, True], "empty_text"), ([True, False, False], "not_utf8"))
    ]
    with local_pipeline() as root:
        counts = root | beam.Create(list(enumerate(batches))) | CountRejections()
        assert_that(counts, equal_to([count_rejected(batch) for batch in batches]))


def test_counts_are_added_up_and_written(tmp_path: Path) -> None:
    path = str(tmp_path / "counts.json")
    parts = [{"files": {f"f{i % 3}": {"rows": i}}, "rejected": {"a": 1}} for i in range(40)]
    expected = {
        "files": {f"f{k}": {"rows": sum(range(k, 40, 3))} for k in range(3)},
        "rejected": {"a": 40},
    }
    with local_pipeline() as root:
        several = (root | "First" >> beam.Create(parts[:30]), root | beam.Create(parts[30:]))
        total = several | CountRows(path, FILES)
        assert_that(total, equal_to([expected]))
    assert read_json(FILES, path) == expected


def test_counts_are_added_up_where_they_are_made(tmp_path: Path) -> None:
    """One element a bundle passes on: the time is not quadratic, and memory holds one sum."""
    written: list[int] = []

    class Recorded(CountRows):
        def _write(self, sums: list[dict[str, Any]]) -> dict[str, Any]:
            written.append(len(sums))
            return super()._write(sums)

    path = str(tmp_path / "counts.json")
    with local_pipeline() as root:
        parts = root | beam.Create([{"files": {str(i): {"rows": i}}} for i in range(1_000)])
        _ = parts | Recorded(path, FILES)
    assert len(read_json(FILES, path)["files"]) == 1_000
    assert sum(written) <= 2  # the runner may divide what Create yields


def test_without_counts_an_empty_object_is_written(tmp_path: Path) -> None:
    path = str(tmp_path / "counts.json")
    with local_pipeline() as root:
        _ = root | beam.Create([]) | CountRows(path, FILES)
    assert read_json(FILES, path) == {}


def staged(path: str) -> StagedFile:
    return StagedFile(path=path, bytes=1, rows=2, sha256="x")


def test_staged_files_are_listed_by_unit_and_path(tmp_path: Path) -> None:
    path = str(tmp_path / "list.json")
    files = [(2, staged("a")), (0, staged("c")), (0, staged("b")), (10, staged("0"))]
    with local_pipeline() as root:
        _ = root | beam.Create(files) | ListFiles(path, FILES)
    assert read_staged_list(FILES, path) == [staged("b"), staged("c"), staged("a"), staged("0")]


def test_an_empty_list_is_written_too(tmp_path: Path) -> None:
    path = str(tmp_path / "list.json")
    with local_pipeline() as root:
        _ = root | beam.Create([]) | ListFiles(path, FILES)
    assert read_staged_list(FILES, path) == []


def test_a_sample_of_every_split_is_written(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    batches = [
        add_digests(
            make_documents(
                *(
                    {"document_id": f"{b}-{i}", "text": f"{b} {i}", "split": split, "label": "x"}
                    for i in range(300)
                )
            )
        )
        for b, split in enumerate(["train", "test", "train", "train"])
    ]
    with local_pipeline() as root:
        _ = root | beam.Create(batches) | SampleDocuments(str(path), FILES)
    groups = [pair for batch in batches for pair in sample_documents(batch)]
    expected = [
        sample
        for split in ("train", "test")
        for sample in select_samples(group for of_split, group in groups if of_split == split)
    ]
    assert len(expected) == 400 + 300
    assert path.read_text() == samples_to_lines(expected)


def test_the_most_and_the_least_certain_documents_are_written(tmp_path: Path) -> None:
    scorer = EngineScorer(unsaved_bundle(tmp_path), LengthEngine())
    context = PredictionContext(run_id="run")
    pairs = []
    for batch in range(3):
        documents = make_documents(
            *({"document_id": f"{batch}-{i}", "text": "good " * (i + 1)} for i in range(30))
        )
        [scored] = score_documents(scorer, documents, context=context)
        pairs.append((scored.documents, scored.predictions))
    path = str(tmp_path / "gallery.jsonl")
    with local_pipeline() as root:
        _ = root | beam.Create(pairs) | WriteGallery(path, FILES)
    shown = gallery_from_lines(read_lines(FILES, path))
    expected = most_and_least_certain(
        each for documents, predictions in pairs for each in select_extremes(documents, predictions)
    )
    assert [json.dumps(dataclasses.asdict(each)) for each in shown] == [
        json.dumps(dataclasses.asdict(each)) for each in expected
    ]
    assert shown[0].score > shown[-1].score


def test_no_documents_make_an_empty_gallery(tmp_path: Path) -> None:
    path = str(tmp_path / "gallery.jsonl")
    with local_pipeline() as root:
        _ = root | beam.Create([]) | WriteGallery(path, FILES)
    assert read_lines(FILES, path) == []
