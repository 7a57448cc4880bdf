import gzip
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file


def example(**features: list[Any]) -> bytes:
    feature = {}
    for name, values in features.items():
        if any(isinstance(value, float) for value in values):
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        elif any(isinstance(value, int) for value in values):
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            feature[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(
        deterministic=True
    )


def write(path: Path, records: list[bytes], compression: str = "") -> bytes:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path.read_bytes()


def frame_size(record: bytes) -> int:
    return len(record) + 16


@pytest.mark.parametrize(("suffix", "compression"), [("", ""), (".gz", "GZIP")])
def test_all_fields_of_a_document(tmp_path: Path, suffix: str, compression: str) -> None:
    path = tmp_path / f"rows.tfrecord{suffix}"
    write(
        path,
        [
            example(
                key=[b"k"],
                text=["größer".encode()],
                label=[1],
                topics=[b"a"],
                teacher=[0.5],
                weight=[0.5],
                why=["röß".encode()],
                split=[b"test"],
                scores=[1, 2],
            ),
            example(text=[b"b"], topics=[b"a", b"b"], label=[]),
        ],
        compression,
    )
    columns = ColumnsConfig(
        id="key",
        labels="topics",
        probabilities="teacher",
        weight="weight",
        rationale="why",
        split="split",
        keep=("scores",),
    )
    read = read_file(path, format="tfrecord", columns=columns)
    assert read.documents == [
        {
            "document_id": "k",
            "text": "größer",
            "label": "1",
            "labels": ["a"],
            "soft_labels": [{"label": None, "probability": 0.5}],
            "weight": 0.5,
            "rationale": [{"start": 1, "end": 4}],
            "split": "test",
            "group": None,
            "source_file": path.name,
            "source_row": 0,
            "scores": "[1, 2]",
        },
        {
            "document_id": f"{path.name}#1",
            "text": "b",
            "label": None,
            "labels": ["a", "b"],
            "soft_labels": None,
            "weight": None,
            "rationale": None,
            "split": None,
            "group": None,
            "source_file": path.name,
            "source_row": 1,
            "scores": None,
        },
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (example(label=[b"pos"]), "missing_column"),
        (example(text=[]), "empty_text"),
        (example(text=[b" "]), "empty_text"),
        (example(text=[b"a", b"b"]), "malformed_row"),
        (example(text=[3]), "malformed_row"),
        (example(text=[b"caf\xe9"]), "not_utf8"),
        (example(text=[b"a"], label=[0.5]), "malformed_row"),
        (example(text=[b"a"], label=[b"pos", b"neg"]), "malformed_row"),
        (b"\xff\xff no example", "malformed_row"),
        (b"", "missing_column"),
        (example(text=[b"x" * (2 << 20)]), "text_too_large"),
    ],
)
def test_a_damaged_record_is_rejected_alone(tmp_path: Path, record: bytes, reason: str) -> None:
    path = tmp_path / "rows.tfrecord"
    write(path, [example(text=[b"before"]), record, example(text=[b"after"])])
    read = read_file(path, format="tfrecord", max_text_bytes=1_000)
    assert read.texts == ["before", "after"]
    assert read.reasons == [(1, reason)]
    assert read.rejections[0]["raw"] == record[:1_000]


def test_bytes_that_do_not_decode_are_replaced_if_asked_for(tmp_path: Path) -> None:
    content = write(tmp_path / "rows", [example(text=[b"caf\xe9"])])
    read = read_bytes(content, format="tfrecord", errors="replace")
    assert (read.texts, read.rows_repaired) == (["caf\ufffd"], 1)
    assert read_bytes(content, format="tfrecord", encoding="latin-1").texts == ["café"]


@pytest.mark.parametrize("most", [1, 5, 1_000])
class TestDamage:
    records = tuple(example(text=[b"document %d" % row]) for row in range(5))

    def test_data_that_fail_their_checksum_are_rejected_alone(
        self, tmp_path: Path, most: int
    ) -> None:
        content = bytearray(write(tmp_path / "rows", list(self.records)))
        content[2 * frame_size(self.records[0]) + 20] ^= 1
        read = read_bytes(bytes(content), format="tfrecord", most=most)
        assert read.column("source_row") == [0, 1, 3, 4]
        assert read.reasons == [(2, "malformed_row")]

    def test_a_damaged_length_breaks_the_rest_of_the_file(self, tmp_path: Path, most: int) -> None:
        content = bytearray(write(tmp_path / "rows", list(self.records)))
        content[2 * frame_size(self.records[0])] ^= 1
        read = read_bytes(bytes(content), format="tfrecord", most=most)
        assert read.column("source_row") == [0, 1]
        assert not read.rejections
        assert "the rest of the file cannot be read" in str(read.broken)

    @pytest.mark.parametrize("left", [1, 11, 12, 20, 40])
    def test_a_truncated_file_lacks_a_record(self, tmp_path: Path, most: int, left: int) -> None:
        content = write(tmp_path / "rows", list(self.records))
        torn = content[: 3 * frame_size(self.records[0]) + left]
        read = read_bytes(torn, format="tfrecord", most=most)
        assert read.column("source_row") == [0, 1, 2]
        assert not read.rejections
        assert "got the end of the file" in str(read.broken)

    def test_a_truncated_gzip_loses_its_last_record(self, tmp_path: Path, most: int) -> None:
        stored = gzip.compress(write(tmp_path / "rows", list(self.records)), compresslevel=0)
        read = read_bytes(stored[:-20], name="rows.gz", format="tfrecord", most=most)
        assert read.column("source_row") == [0, 1, 2, 3]
        assert not read.rejections
        assert "expected more gz data" in str(read.broken)


def test_a_file_that_is_no_tfrecord_is_broken() -> None:
    read = read_bytes(b"no records at all, but text", format="tfrecord")
    assert read.rows_read == 0
    assert "expected the length of a record" in str(read.broken)


def test_a_file_without_records() -> None:
    assert read_bytes(b"", format="tfrecord").rows_read == 0
