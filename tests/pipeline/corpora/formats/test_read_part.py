import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.parts import FilePart
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file, read_stream

CSV = {"format": "csv", "column_names": ("label", "text")}

FRAGMENTS = st.lists(
    st.binary(max_size=6)
    | st.sampled_from(
        [
            b"\n",
            b"\r\n",
            b"\r",
            b",",
            b'"',
            b"\0",
            b"\xff",
            b'{"text": "a"}',
            b'{"text": "\\ud800"}',
            b'{"label": 1, "text": ',
            b"pos,good",
            b'1\t"sentence"\r\nOther\r\n',
            b"LOC:city where ?",
            b"\xef\xbb\xbf",
        ]
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "jsonl"},
        CSV,
        {**CSV, "quote": None, "delimiter": "\t"},
        {"format": "text"},
        {"format": "text", "document": "file"},
        {"format": "trec"},
        {"format": "semeval"},
        {"format": "tfrecord"},
        {"format": "parquet"},
    ],
    ids=str,
)
@given(
    content=FRAGMENTS,
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16", "gbk", "utf-7", "ascii"]),
    errors=st.sampled_from(["reject", "replace"]),
    suffix=st.sampled_from(["", "", ".gz", ".bz2", ".zst"]),
    most=st.integers(1, 50),
)
@example(content=b'"', encoding="utf-8", errors="reject", suffix="", most=50)
def test_any_bytes_are_rows_used_or_rejected(
    settings: dict[str, Any], content: bytes, encoding: str, errors: str, suffix: str, most: int
) -> None:
    # Reading itself checks that rows read = rows used + rows rejected; see whole_file.
    read = read_bytes(
        content,
        name="rows" + suffix,
        most=None if settings["format"] == "parquet" else most,
        encoding=encoding,
        errors=errors,
        **settings,
    )
    assert read.rows_read == len(read.documents) + len(read.rejections)
    assert all(text.strip() for text in read.texts)
    if errors == "replace":
        assert "not_utf8" not in {reason for _, reason in read.reasons}


IMDB = ColumnsConfig(id="id", keep=("rating",))
TWEETS = ColumnsConfig(id="textID", label="sentiment", rationale="selected_text")
REVIEWS = ColumnsConfig(text="review", keep=("cat",))
SMS = {"format": "csv", "delimiter": "\t", "quote": None, "column_names": ("label", "text")}


@pytest.mark.parametrize(
    ("file", "settings", "columns", "rows", "labels", "rejected"),
    [
        ("imdb/train.jsonl.gz", {}, IMDB, 25_000, 2, []),
        ("imdb/test.jsonl.gz", {}, IMDB, 25_000, 2, []),
        ("imdb/unlabelled.jsonl.gz", {}, IMDB, 50_000, 0, []),
        ("semeval2010_task8/TRAIN_FILE.TXT", {"format": "semeval"}, None, 8_000, 19, []),
        ("semeval2010_task8/TEST_FILE_FULL.TXT", {"format": "semeval"}, None, 2_717, 19, []),
        ("trec/TREC.train", {"format": "trec", "errors": "replace"}, None, 5_452, 6, []),
        ("trec/TREC.train", {"format": "trec"}, None, 5_452, 6, [(65, "not_utf8")]),
        ("trec/TREC.test", {"format": "trec"}, None, 500, 6, []),
        ("sms_spam/SMSSpamCollection", SMS, None, 5_574, 2, []),
        (
            "tweet_sentiment/train.csv",
            {"format": "csv"},
            TWEETS,
            27_481,
            3,
            [(314, "empty_text")],
        ),
        (
            "zh_shopping/online_shopping_10_cats.csv.gz",
            {"format": "csv"},
            REVIEWS,
            62_774,
            2,
            [(36_425, "empty_text")],
        ),
    ],
)
def test_real_corpora(
    corpora: Path,
    file: str,
    settings: dict[str, Any],
    columns: ColumnsConfig | None,
    rows: int,
    labels: int,
    rejected: list[tuple[int, str]],
) -> None:
    read = read_file(corpora / file, columns=columns, **settings)
    assert read.rows_read == rows
    assert read.reasons == rejected
    assert len(set(read.column("label")) - {None}) == labels
    assert len(set(read.column("document_id"))) == rows - len(rejected)


def test_spot_checks_of_real_corpora(corpora: Path) -> None:
    folder = corpora / "semeval2010_task8"
    relations = read_file(folder / "TEST_FILE_FULL.TXT", format="semeval")
    key = (folder / "TEST_FILE_KEY_directed.txt").read_text(encoding="utf-8")
    assert [
        f"{each['document_id']}\t{each['label']}" for each in relations.documents
    ] == key.splitlines()
    assert all(text.count("<e1>") == text.count("</e2>") == 1 for text in relations.texts)

    questions = read_file(corpora / "trec" / "TREC.train", format="trec", errors="replace")
    assert questions.rows_repaired == 1
    assert "sister\ufffdcity" in questions.texts[65]

    reviews = read_file(
        corpora / "zh_shopping" / "online_shopping_10_cats.csv.gz", format="csv", columns=REVIEWS
    )
    assert reviews.texts[0].startswith("\ufeff做父母")
    assert len(set(reviews.column("cat"))) == 10

    tweets = read_file(corpora / "tweet_sentiment" / "train.csv", format="csv", columns=TWEETS)
    assert all(len(spans) == 1 for spans in tweets.column("rationale"))


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 100])
def test_a_limited_part_is_its_first_rows(limit: int) -> None:
    content = b'{"text": "a"}\n{"text": ""}\n\n{"text": "\\ud800"}\nnot JSON\n{"text": "e"}\n'
    part = FilePart(path="rows", source_file="rows", input=InputConfig(path="rows"))
    whole = read_stream(io.BytesIO(content), part, corpus=CorpusConfig())
    some = dataclasses.replace(part, limit=limit)
    read = read_stream(io.BytesIO(content), some, corpus=CorpusConfig(), batch_rows=2)
    assert read.rows_read == min(limit, 5)
    assert read.documents == [row for row in whole.documents if row["source_row"] < limit]
    assert read.rejections == [row for row in whole.rejections if row["source_row"] < limit]
    assert read.rows_repaired == (1 if limit >= 3 else 0)


def test_the_text_and_the_label_are_kept_as_the_input_has_them() -> None:
    columns = ColumnsConfig(label=None, keep=("label", "text"))
    read = read_bytes(b'{"text": " a ", "label": 4.5}\n', columns=columns)
    assert read.column("text") == [" a "]
    assert read.column("input_text") == [" a "]
    assert read.column("input_label") == ["4.5"]
    assert read.column("label") == [None]


@pytest.mark.parametrize(
    ("content", "settings", "counted"),
    [
        (b"a\n", {"format": "text"}, {}),
        (b"LOC:city a\n", {"format": "trec"}, {}),
        (b"a\n", {"format": "text", "document": "file"}, {"id": {"id": [1, 1]}}),
        (b'1\t"a"\n', {"format": "semeval"}, {"id": {"id": [1, 1]}}),
    ],
    ids=str,
)
def test_only_columns_that_a_format_has_are_counted(
    content: bytes, settings: dict[str, Any], counted: dict[str, Any]
) -> None:
    columns = ColumnsConfig(id="key", probabilities="taught", weight="w", labels="tags")
    part = FilePart(path="x", source_file="x", input=InputConfig(path="x", **settings))
    [batch] = read_part(io.BytesIO(content), part, corpus=CorpusConfig(columns=columns))
    found = {
        field: {name: [each["found"], each["documents"]] for name, each in of_field.items()}
        for field, of_field in batch.columns.get("columns", {}).items()
    }
    assert found == counted
