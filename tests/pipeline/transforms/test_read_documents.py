from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.reading.dividing import divide_file
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.units import Unit
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import Files
from pipeline.transforms.read_documents import CountPartRows, ReadDocuments
from tests.json_lines import write_json_lines
from tests.pipeline.transforms.local_beam import local_pipeline, name_rows

FILES: Files = BeamFiles()
CORPUS = CorpusConfig(columns=ColumnsConfig(id="id"))


def write(folder: Path, name: str, *rows: Any) -> FilePart:
    path = write_json_lines(folder / name, rows)
    return FilePart(path=path, source_file=name, input=InputConfig(path=path))


def test_units_become_documents_rejections_and_counts(tmp_path: Path) -> None:
    first = write(
        tmp_path, "1.jsonl", {"id": "a", "text": "x"}, {"id": "b"}, {"id": "c", "text": "y"}
    )
    second = write(tmp_path, "2.jsonl", {"id": "d", "text": "z"}, 7)
    third = write(tmp_path, "3.jsonl", {"id": "e", "text": " "})
    empty = write(tmp_path, "4.jsonl")
    units = [Unit(index=0, parts=(first, second)), Unit(index=1, parts=(third, empty))]
    with local_pipeline() as root:
        read = root | beam.Create(units) | ReadDocuments(CORPUS, FILES)
        documents = read.documents | "Name documents" >> beam.FlatMap(
            name_rows, "document_id", "text", "source_file", "source_row"
        )
        rejections = read.rejections | "Name rejections" >> beam.FlatMap(
            name_rows, "document_id", "reason", "source_file", "source_row"
        )
        assert_that(
            documents,
            equal_to(
                [
                    (0, "a", "x", "1.jsonl", 0),
                    (0, "c", "y", "1.jsonl", 2),
                    (0, "d", "z", "2.jsonl", 0),
                ]
            ),
            label="documents",
        )
        assert_that(
            rejections,
            equal_to(
                [
                    (0, "b", "missing_column", "1.jsonl", 1),
                    (0, "2.jsonl#1", "malformed_row", "2.jsonl", 1),
                    (1, "e", "empty_text", "3.jsonl", 0),
                ]
            ),
            label="rejections",
        )
        assert_that(
            read.counts,
            equal_to(
                [
                    {
                        "files": {
                            "1.jsonl": {"rows_read": 3, "rows_repaired": 0},
                            "2.jsonl": {"rows_read": 2, "rows_repaired": 0},
                        },
                        "columns": {"id": {"id": {"documents": 3, "found": 3}}},
                        "values": {"id": {"documents": 3, "missing": 0}},
                    },
                    {"files": {"3.jsonl": {"rows_read": 1, "rows_repaired": 0}}},
                ]
            ),
            label="counts",
        )


def test_the_rows_of_divided_files_are_counted_part_by_part(tmp_path: Path) -> None:
    whole = write(tmp_path, "1.jsonl", *({"id": str(i)} for i in range(10)))
    size = Path(whole.path).stat().st_size
    line = size // 10
    parts = divide_file(whole, size=size, part_bytes=4 * line)
    with local_pipeline() as root:
        counted = root | beam.Create(parts) | CountPartRows(FILES)
        expected = [(0, 4), (4 * line, 4), (8 * line, 2)]
        assert_that(counted, equal_to([((whole.path, start), rows) for start, rows in expected]))
