import gzip
from pathlib import Path

from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file


def test_one_document_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufefffirst\r\n\n  \nzweite Zeile\x00\u2028\na\rb\x0bc".encode())
    read = read_file(path, format="text", split="test")
    assert read.texts == ["first", "zweite Zeile\x00\u2028", "a", "b\x0bc"]
    assert read.column("document_id") == [f"lines.txt#{row}" for row in range(4)]
    assert read.column("label") == [None] * 4
    assert read.column("split") == ["test"] * 4
    assert read.reasons == []


def test_one_document_a_file_with_its_folder_as_label(tmp_path: Path) -> None:
    for label, name, content in [("neg", "0_3.txt", b"bad.\n\nReally."), ("pos", "1_8.txt", b"")]:
        (tmp_path / label).mkdir()
        (tmp_path / label / name).write_bytes(content)
    read = read_file(tmp_path / "neg" / "0_3.txt", format="text", document="file")
    assert [(each["document_id"], each["text"], each["label"]) for each in read.documents] == [
        ("0_3.txt", "bad.\n\nReally.", "neg")
    ]
    read = read_file(tmp_path / "pos" / "1_8.txt", format="text", document="file")
    assert read.reasons == [(0, "empty_text")]
    assert read.rejections[0]["document_id"] == "1_8.txt"


def test_the_folder_is_no_label_where_the_config_has_none() -> None:
    columns = ColumnsConfig(label=None)
    read = read_bytes(b"a", name="pos/1.txt", format="text", document="file", columns=columns)
    assert read.column("label") == [None]


def test_configured_columns_that_text_files_lack_are_ignored() -> None:
    columns = ColumnsConfig(text="review", id="key", label="stars", split="fold", weight="w")
    read = read_bytes(b"a", name="pos/1.txt", format="text", document="file", columns=columns)
    assert (read.texts, read.column("label")) == (["a"], ["pos"])


def test_a_file_over_the_limit_is_not_read_to_its_end() -> None:
    read = read_bytes(b"x" * (5 << 20), format="text", document="file", max_text_bytes=1_000)
    assert read.reasons == [(0, "text_too_large")]
    read = read_bytes(b"x" * 1_001, format="text", document="file", max_text_bytes=1_000)
    assert read.reasons == [(0, "text_too_large")]
    read = read_bytes(b"x" * 1_000, format="text", document="file", max_text_bytes=1_000)
    assert read.rows_read == len(read.documents) == 1


def test_a_line_too_large_is_rejected_alone() -> None:
    content = b"a\n" + b"x" * (3 << 20) + b"\nb"
    read = read_bytes(content, format="text", max_text_bytes=1_000)
    assert read.texts == ["a", "b"]
    assert read.reasons == [(1, "text_too_large")]


def test_what_does_not_decode() -> None:
    content = b"caf\xe9\ncaf\xc3\xa9\n"
    assert read_bytes(content, format="text").reasons == [(0, "not_utf8")]
    assert read_bytes(content, format="text", errors="replace").texts == ["caf\ufffd", "café"]
    assert read_bytes(content, format="text", encoding="latin-1").texts == ["café", "cafÃ©"]
    whole = read_bytes(content, format="text", document="file", errors="replace")
    assert whole.texts == ["caf\ufffd\ncafé\n"]
    assert whole.rows_repaired == 1


def test_a_truncated_file_is_broken() -> None:
    stored = gzip.compress(b"a document " * 1_000)[:-20]
    read = read_bytes(stored, name="pos/1.txt.gz", format="text", document="file")
    assert read.rows_read == 0
    assert "expected more gz data, got the end of the file" in str(read.broken)
