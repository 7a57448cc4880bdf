from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.testing.util import assert_that, equal_to

from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.staging import StagedFile
from pipeline.transforms.write_record_batches import WriteRecordBatches
from tests.pipeline.transforms.local_beam import local_pipeline

SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False)], metadata={"labels": '["a"]'})


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA.remove_metadata())


def test_the_rows_of_a_unit_stay_together(tmp_path: Path) -> None:
    units = {0: [[1, 2], [3]], 1: [[4]], 5: [[], [5, 6]]}

    def check(staged: list[tuple[int, StagedFile]]) -> None:
        rows: dict[int, list[int]] = {unit: [] for unit in units}
        for unit, file in staged:
            table = pq.read_table(file.path)
            assert table.schema.equals(SCHEMA, check_metadata=True)
            assert file.rows == table.num_rows
            assert file.bytes == Path(file.path).stat().st_size
            assert file.sha256 == BeamFiles().digest(file.path)
            rows[unit] += table.column("n").to_pylist()
        expected = {unit: [n for part in parts for n in part] for unit, parts in units.items()}
        assert {unit: sorted(found) for unit, found in rows.items()} == expected
        paths = {file.path for _, file in staged}
        assert {path.as_posix() for path in tmp_path.iterdir()} == paths

    batches = [(unit, batch(*part)) for unit, parts in units.items() for part in parts]
    with local_pipeline() as root:
        staged = (
            root | beam.Create(batches) | WriteRecordBatches(str(tmp_path), SCHEMA, BeamFiles())
        )
        assert_that(staged, check)


def test_nothing_to_write_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with local_pipeline() as root:
        staged = root | beam.Create([]) | WriteRecordBatches(str(folder), SCHEMA, BeamFiles())
        assert_that(staged, equal_to([]))
    assert not folder.exists()
