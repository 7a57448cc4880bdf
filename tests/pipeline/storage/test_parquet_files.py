from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schemas import PREDICTIONS
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout
from pipeline.storage.staging import StagedFile

SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("lang", pa.string())])


def batch(*rows: tuple[int, str | None]) -> pa.RecordBatch:
    numbers, languages = zip(*rows, strict=True)
    return pa.record_batch([pa.array(numbers), pa.array(languages, pa.string())], schema=SCHEMA)


def write(
    folder: Path, layout: ParquetLayout, *batches: pa.RecordBatch, schema: pa.Schema = SCHEMA
) -> list[StagedFile]:
    output = ParquetFiles(schema, layout, folder=str(folder), files=BeamFiles())
    staged = [file for each in batches for file in output.write(each)]
    return [*staged, *output.close()]


def test_small_batches_share_a_row_group_and_large_ones_do_not(tmp_path: Path) -> None:
    batches = [batch(*((n, "en") for n in range(100))) for _ in range(10)]
    [one] = write(tmp_path, ParquetLayout(), *batches)
    assert pq.ParquetFile(one.path).metadata.num_row_groups == 1
    size = batches[0].get_total_buffer_size()
    [several] = write(tmp_path, ParquetLayout(row_group_bytes=2 * size), *batches)
    assert pq.ParquetFile(several.path).metadata.num_row_groups == 5
    assert pq.read_table(several.path) == pq.read_table(one.path) == pa.Table.from_batches(batches)


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    batches = [batch(*((n, "en") for n in range(100))) for _ in range(4)]
    staged = write(tmp_path, ParquetLayout(row_group_bytes=1, file_bytes=1), *batches)
    assert [file.rows for file in staged] == [100] * 4
    assert [pq.read_table(file.path) for file in staged] == [
        pa.Table.from_batches([each]) for each in batches
    ]


def test_tokens_have_a_dictionary_and_offsets_are_packed(tmp_path: Path) -> None:
    rows = pa.RecordBatch.from_pylist(
        [
            {
                **dict.fromkeys(["document_id", "label", "text_sha256"], "x"),
                **dict.fromkeys(["model_version", "run_id"], "y"),
                **dict.fromkeys(["label_index", "score", "token_count"], 1),
                **dict.fromkeys(["truncated_tokens", "oov_tokens"], 0),
                "probabilities": [1.0],
                "tokens": ["a", "b"],
                "token_starts": [0, 2],
                "token_ends": [1, 3],
                "attention": [0.5, 0.5],
            }
        ]
        * 100,
        schema=PREDICTIONS,
    )
    [staged] = write(tmp_path, ParquetLayout(), rows, schema=PREDICTIONS)
    group = pq.ParquetFile(staged.path).metadata.row_group(0)
    encodings = {
        group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)
    }
    assert "RLE_DICTIONARY" in encodings["tokens.list.element"]
    assert "RLE_DICTIONARY" not in encodings["text_sha256"]
    assert "DELTA_BINARY_PACKED" in encodings["token_starts.list.element"]
    assert group.column(0).compression == "ZSTD"
