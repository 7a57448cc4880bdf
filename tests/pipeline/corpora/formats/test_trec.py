from pathlib import Path

import pytest

from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file

CONTENT = b"""\
DESC:manner How did serfdom develop in and then leave Russia ?
LOC:city What is the oldest sister\xf0city ?

NUM:dist How far is it from Denver to Aspen ?
no class at all
HUM:ind
ENTY: What is a space ?
"""


def test_questions(tmp_path: Path) -> None:
    path = tmp_path / "TREC.train"
    path.write_bytes(CONTENT)
    read = read_file(path, format="trec", columns=ColumnsConfig(keep=("fine_label",)))
    assert [
        (each["source_row"], each["label"], each["fine_label"], each["text"])
        for each in read.documents
    ] == [
        (0, "DESC", "DESC:manner", "How did serfdom develop in and then leave Russia ?"),
        (2, "NUM", "NUM:dist", "How far is it from Denver to Aspen ?"),
    ]
    assert read.reasons == [
        (1, "not_utf8"),
        (3, "malformed_row"),
        (4, "malformed_row"),
        (5, "malformed_row"),
    ]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"errors": "replace"}, "What is the oldest sister\ufffdcity ?"),
        ({"encoding": "latin-1"}, "What is the oldest sisterðcity ?"),
    ],
)
def test_a_byte_that_is_not_utf_8_rejects_its_row(settings: dict[str, str], text: str) -> None:
    assert read_bytes(CONTENT, format="trec", **settings).texts[1] == text


def test_the_fine_class_may_be_the_label() -> None:
    read = read_bytes(CONTENT, format="trec", columns=ColumnsConfig(label="fine_label"))
    assert read.column("label") == ["DESC:manner", "NUM:dist"]


def test_an_unknown_kept_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected kept columns among text, label, fine_label"):
        read_bytes(CONTENT, format="trec", columns=ColumnsConfig(keep=("date",)))
