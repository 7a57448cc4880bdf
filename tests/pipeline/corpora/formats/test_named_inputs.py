import gzip
from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.named_inputs import named_inputs, read_as_trained, trained_inputs
from pipeline.storage.beam_files import BeamFiles

CSV = InputConfig(path="a.csv", format="csv", delimiter=";", encoding="latin-1", split="train")
TSV = InputConfig(path="t.tsv", format="csv", delimiter="\t", quote=None)
SEMEVAL = InputConfig(path="TRAIN.TXT", format="semeval")
JSONL = InputConfig(path="a", format="jsonl")


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text\na\n")


def named(path: object, **inputs: Any) -> InputConfig:
    [found] = named_inputs(BeamFiles(), [str(path)], config=(), **inputs)
    return found


@pytest.mark.parametrize(
    ("files", "pattern", "expected"),
    [
        (["a.jsonl", "b.jsonl.gz", "c.json.zst"], "*.json*", "jsonl"),
        (["a.csv.gz"], "a*", "csv"),
        (["a.csv"], "*", "csv"),
        (["out.csv/part-0", "out.csv/part-1"], "out.csv", "csv"),
        (["x/out.parquet/part-0"], "x/*", "parquet"),
        (["out/part-0.snappy.parquet", "out/_SUCCESS"], "out", "parquet"),
        (["2026-11-20/a.csv"], "{date}/*", "csv"),
        (["2026/11/20/a.csv"], "{date:%Y/%m/%d}/a*", "csv"),
        (["{date}/a.csv"], "{date}", "csv"),
        (["2026-11-20/a.csv", "2026-11-21/b.csv"], "{date}", "csv"),
        (["2026-11-20/a.csv", "2026-11-20/Thumbs.db"], "{date}/", "csv"),
        ([], "later/*.jsonl", "jsonl"),
        ([], "{date}/a.tsv", "csv"),
    ],
)
def test_the_format_follows_from_the_files(
    tmp_path: Path, files: list[str], pattern: str, expected: str
) -> None:
    write(tmp_path, *files)
    found = named(tmp_path / pattern)
    assert (found.format, found.path) == (expected, str(tmp_path / pattern))
    assert found.delimiter == ("\t" if pattern.endswith("tsv") else ",")


def test_what_the_pattern_of_a_date_does_not_read_is_not_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="limelight")
    write(tmp_path, "2026-11-20/a.csv", "2026-11-21/b.csv", "_SUCCESS")
    assert named(tmp_path / "{date}").format == "csv"
    assert not caplog.messages


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["a.csv", "b.jsonl"], ["a.csv (csv)", "b.jsonl (jsonl)"]),
        (["a.csv", "b.tsv"], ["a.csv (csv)", "b.tsv (tsv)"]),
        (["a.csv", "README"], ["a.csv (csv)", "README (no known ending)"]),
    ],
)
def test_files_of_several_formats_are_an_error(
    tmp_path: Path, files: list[str], said: list[str]
) -> None:
    write(tmp_path, *files)
    with pytest.raises(ConfigError, match="expected files of one format") as raised:
        named(tmp_path / "*")
    assert all(each in str(raised.value) for each in said)


def test_files_without_a_known_ending_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a", "b.doc")
    with pytest.raises(ConfigError, match="expected a name ending in jsonl"):
        named(tmp_path / "*")
    with pytest.raises(ConfigError, match=r"--input /dev/stdin: .* can be read only once"):
        named("/dev/stdin")


@pytest.mark.parametrize("key", ["config", "trained"])
def test_files_without_a_known_ending_have_the_format_of_the_config_or_of_training(
    tmp_path: Path, key: str
) -> None:
    write(tmp_path, "x/part-0", "x/part-1")
    inputs: dict[str, Any] = {"config": (), key: (CSV,)}
    [found] = named_inputs(BeamFiles(), [str(tmp_path / "*/*")], **inputs)
    assert (found.format, found.delimiter, found.encoding) == ("csv", ";", "latin-1")


def test_the_config_tells_apart_the_formats_of_text_files(tmp_path: Path) -> None:
    write(tmp_path, "TEST.TXT")
    path = str(tmp_path / "TEST.TXT")
    files = BeamFiles()
    assert named_inputs(files, [path], config=(SEMEVAL,))[0].format == "semeval"
    assert named_inputs(files, [path], config=(), trained=(SEMEVAL,))[0].format == "text"
    assert named_inputs(files, [path], config=(JSONL,))[0].format == "text"


def test_a_file_is_read_like_the_config_says_or_else_as_in_training(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.tsv", "c.jsonl")
    paths = [str(tmp_path / name) for name in ("a.csv", "b.tsv", "c.jsonl")]
    config = (InputConfig(path="c.csv", format="csv", delimiter="|"),)
    csv, tsv, jsonl = named_inputs(BeamFiles(), paths, config=config, trained=(CSV, TSV))
    assert (csv.delimiter, csv.encoding, csv.split) == ("|", "utf-8", None)
    assert (tsv.delimiter, tsv.quote) == ("\t", None)
    assert jsonl == InputConfig(path=paths[2])
    [csv] = named_inputs(BeamFiles(), paths[:1], config=(), trained=(CSV, TSV))
    assert (csv.delimiter, csv.encoding, csv.split) == (";", "latin-1", None)


def test_the_inputs_of_a_manifest_may_be_older_or_newer() -> None:
    old = {"path": "a.csv", "format": "csv", "delimiter": ";", "column_names": ["text"]}
    corpus = {"inputs": [old, {"format": "bigquery", "table": "a.b.c"}, {"path": "b", "new": 1}]}
    first, second = trained_inputs(corpus)
    assert first == InputConfig(path="a.csv", format="csv", delimiter=";", column_names=("text",))
    assert second == InputConfig(path="b")
    assert trained_inputs({}) == []


def test_an_input_of_a_config_is_completed_by_the_training_where_it_does_not_say_how() -> None:
    completed = read_as_trained({"path": "n.csv"}, [CSV])
    assert (completed["delimiter"], completed["encoding"]) == (";", "latin-1")
    assert "split" not in completed
    completed = read_as_trained({"path": "n.csv", "encoding": "utf-8"}, [CSV])
    assert (completed["delimiter"], completed["encoding"]) == (";", "utf-8")
    for given in ({"path": "n.jsonl"}, {"path": "n.tsv"}, {"table": "a.b.c"}):
        assert read_as_trained(given, [CSV]) == given


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "--input '': expected a path or glob, got none"),
        ("x/{date:%Q}.jsonl", "--input 'x/{date:%Q}.jsonl': path: expected {date} with directives"),
        ("x/{date:}.jsonl", "--input 'x/{date:}.jsonl': path: expected {date} with directives"),
    ],
)
def test_a_path_that_is_none_is_a_wrong_config(path: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        named_inputs(BeamFiles(), [path], config=())
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv.gz", "a.txt.gz"])
def test_json_lines_are_known_by_their_first_line(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="limelight")
    stored = b'\xef\xbb\xbf{"body": "a, b", "id": 1}\n{"body": "c"}\n'
    path = tmp_path / name
    path.write_bytes(gzip.compress(stored) if name.endswith("gz") else stored)
    format_of_name = "csv" if "sv" in name else "text"
    assert named(path, text_column="body").format == "jsonl"
    assert "read as JSON lines, because its first line is" in caplog.text
    assert named(path).format == format_of_name
    text = InputConfig(path="a", format="text")
    expected = "jsonl" if format_of_name == "csv" else "text"
    assert named(path, text_column="body", trained=[text]).format == expected


@pytest.mark.parametrize("line", ["", "\n", "{", "[1]", '{"text": "a"', "text", '"text"', "{text}"])
def test_other_lines_are_no_json_lines(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(line)
    assert named(path).format == "text"
