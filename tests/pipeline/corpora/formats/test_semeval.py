from pathlib import Path

from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file

CONTENT = (
    b'8001\t"The most common <e1>audits</e1> were about <e2>waste</e2>."\r\n'
    b"Message-Topic(e1,e2)\r\n"
    b"Comment: Assuming an audit = an audit document.\r\n"
    b"\r\n"
    b'8002\t"He said: "the <e1>company</e1> makes <e2>chairs</e2>"."\r\n'
    b"Other\r\n"
    b"Comment:\r\n"
    b"\r\n"
)


def test_sentences_with_their_relations(tmp_path: Path) -> None:
    path = tmp_path / "TEST_FILE_FULL.TXT"
    path.write_bytes(CONTENT)
    read = read_file(path, format="semeval", columns=ColumnsConfig(keep=("comment",)))
    assert [
        (each["document_id"], each["text"], each["label"], each["comment"])
        for each in read.documents
    ] == [
        (
            "8001",
            "The most common <e1>audits</e1> were about <e2>waste</e2>.",
            "Message-Topic(e1,e2)",
            "Assuming an audit = an audit document.",
        ),
        ("8002", 'He said: "the <e1>company</e1> makes <e2>chairs</e2>".', "Other", ""),
    ]
    assert read.column("source_row") == [0, 1]


def test_sentences_alone() -> None:
    read = read_bytes(b'1\t"one"\r\n2\t"two"\r\n3\t"three"', format="semeval")
    assert read.column("document_id") == ["1", "2", "3"]
    assert read.texts == ["one", "two", "three"]
    assert read.column("label") == [None] * 3


def test_a_damaged_record_is_rejected_alone() -> None:
    content = (
        b"stray line\n\n"
        b'1\t"one"\nOther\nComment:\n\n'
        b"2\tno quotes\nOther\nComment:\n\n"
        b'3\t"three"\nOther\nComment:\nanother line\n'
        b'4\t"four\xe9"\nOther\nComment:\n\n'
        b'5\t""\nOther\nComment:\n\n'
        b'6\t"six"\nComment: no relation\n'
    )
    read = read_bytes(content, format="semeval")
    assert read.column("document_id") == ["1", "6"]
    assert read.column("label") == ["Other", None]
    assert read.reasons == [
        (0, "malformed_row"),
        (2, "malformed_row"),
        (3, "malformed_row"),
        (4, "not_utf8"),
        (5, "empty_text"),
    ]
    assert read.rejections[2]["raw"] == b'3\t"three"\nOther\nComment:\nanother line'


def test_a_file_of_answers_without_sentences_is_rejected() -> None:
    read = read_bytes(b"8001\tMessage-Topic(e1,e2)\n8002\tOther\n", format="semeval")
    assert read.reasons == [(0, "malformed_row"), (1, "malformed_row")]


def test_many_blank_lines_divide_records_as_one_does() -> None:
    read = read_bytes(b'1\t"one"\nOther' + b"\n" * 1_000 + b'stray\n\n2\t"two"', format="semeval")
    assert read.texts == ["one", "two"]
    assert read.reasons == [(1, "malformed_row")]


def test_a_record_of_many_lines_is_too_large() -> None:
    read = read_bytes(b'1\t"a"\n' + b"x\n" * 600_000, format="semeval", max_text_bytes=1_000)
    assert read.reasons == [(0, "text_too_large")]
