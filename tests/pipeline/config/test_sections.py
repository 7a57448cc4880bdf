import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.config import ConfigError
from pipeline.config.inputs import InputConfig, infer_format, new_input
from pipeline.config.sections import (
    Config,
    CorpusConfig,
    build_config,
    load_config,
)


def load(tmp_path: Path, text: str, *overrides: str, name: str = "experiment.yaml") -> Config:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_config(str(path), overrides)


def fails(values: dict[str, Any], *overrides: str) -> str:
    """The one line that a bad config gives."""
    with pytest.raises(ConfigError) as raised:
        build_config(values, overrides, where="my.yaml")
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_a_config_needs_nothing_but_yaml(tmp_path: Path) -> None:
    assert load(tmp_path, "{}") == dataclasses.replace(Config(), name="experiment")


def test_sections_keys_and_lists_are_read(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        name: imdb
        corpus:
          inputs:
            - {path: a.csv, format: csv, split: train, delimiter: "\\t", quote: null}
            - path: b.jsonl
          columns: {id: key, keep: [lang, day]}
          splits: {validation: 0, test: 0.25}
        text: {max_tokens: 7}
        network: {attention: {kind: dense}}
        training: {seeds: [3, 4]}
        scoring: {output: {attention: none}}
        """,
    )
    assert config.name == "imdb"
    first, second = config.corpus.inputs
    assert (first.format, first.split, first.delimiter, first.quote) == ("csv", "train", "\t", None)
    assert (second.format, second.split) == ("jsonl", None)
    assert config.corpus.columns.id == "key"
    assert config.corpus.columns.keep == ("lang", "day")
    assert config.corpus.splits.validation == 0
    assert config.text.max_tokens == 7
    assert config.network.attention.kind == "dense"
    assert config.training.seeds == (3, 4)
    assert config.scoring.output.attention == "none"
    assert config.workspace == "runs"


def test_a_date_is_as_good_a_name_as_any(tmp_path: Path) -> None:
    assert load(tmp_path, "name: 2026-11-20").name == "2026-11-20"


def test_overrides_are_yaml_and_the_last_one_counts(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "training: {epochs: 3}",
        "training.epochs=4",
        "training.epochs=5",
        "training.seeds=[1, 2]",
        "corpus.columns.id=key=1",
        "corpus.columns.label=null",
        "text.lowercase=false",
    )
    assert config.training.epochs == 5
    assert config.training.seeds == (1, 2)
    assert config.corpus.columns.id == "key=1"
    assert config.corpus.columns.label is None
    assert config.text.lowercase is False


def test_environment_variables_are_put_in_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPORA", "/data")
    monkeypatch.setenv("COLUMN", "body")
    config = load(
        tmp_path,
        "corpus: {inputs: [{path: '${CORPORA}/${CORPORA}/x.jsonl'}]}",
        "corpus.columns.text=${COLUMN}",
    )
    assert config.corpus.inputs[0].path == "/data//data/x.jsonl"
    assert config.corpus.columns.text == "body"


def test_a_variable_that_is_unset_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    assert fails({"workspace": "${NOWHERE}/x"}) == (
        "my.yaml: expected the environment variable NOWHERE to be set for '${NOWHERE}/x', "
        "got none. Run: export NOWHERE=..."
    )


def test_what_is_no_variable_is_left_as_it_is() -> None:
    assert build_config({"workspace": "a$b/${}"}, (), where="x").workspace == "a$b/${}"


ONE_INPUT = {"path": "x"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trainin": {}}, "trainin: unknown key (did you mean training?)"),
        (
            {"corpus": {"columns": {"labl": "x"}}},
            "corpus.columns.labl: unknown key (did you mean corpus.columns.label?)",
        ),
        (
            {"corpus": {"inputs": [ONE_INPUT, {**ONE_INPUT, "splt": "x"}]}},
            "corpus.inputs.1.splt: unknown key (did you mean corpus.inputs.1.split?)",
        ),
        (
            {"scoring": {"output": {"qqq": 1}}},
            "scoring.output.qqq: unknown key, expected one of attention",
        ),
        ({7: 1}, "7: unknown key, expected one of name, workspace, "),
        ({"corpus": {"inputs": [{}]}}, "corpus.inputs.0.path: expected a path or glob"),
        ({"corpus": {"inputs": ["x"]}}, 'corpus.inputs.0: expected an object, got "x"'),
        ({"corpus": {"inputs": [{"path": ""}]}}, "corpus.inputs.0.path: expected a path or glob"),
        (
            {"corpus": {"inputs": [{**ONE_INPUT, "format": "xml"}]}},
            "corpus.inputs.0.format: expected 'jsonl', 'csv', ",
        ),
        (
            {"corpus": {"inputs": [{**ONE_INPUT, "delimiter": "ab"}]}},
            "corpus.inputs.0.delimiter: expected one character",
        ),
        (
            {"corpus": {"inputs": [{**ONE_INPUT, "quote": ""}]}},
            "corpus.inputs.0.quote: expected null or one character",
        ),
        (
            {"corpus": {"inputs": [{**ONE_INPUT, "encoding": "utf-9"}]}},
            "corpus.inputs.0.encoding: expected an encoding that Python knows, got 'utf-9'",
        ),
        (
            {"corpus": {"columns": {"keep": ["lang", "score"]}}},
            "corpus.columns.keep: expected columns not named like those Limelight writes, "
            "got ['score']",
        ),
        (
            {"corpus": {"columns": {"keep": ["lang", "lang"]}}},
            "corpus.columns.keep: expected each column once, got ('lang', 'lang')",
        ),
        (
            {"corpus": {"splits": {"validation": 0.5, "test": 0.5}}},
            "corpus.splits.test: expected validation + test < 1, got 1.0",
        ),
        (
            {"corpus": {"splits": {"validation": -0.1}}},
            "corpus.splits.validation: expected a number in [0, 1), got -0.1",
        ),
        (
            {"corpus": {"max_rejected_fraction": 1.5}},
            "corpus.max_rejected_fraction: expected a number in [0, 1], got 1.5",
        ),
        ({"corpus": {"limit": 0}}, "corpus.limit: expected an integer >= 1 or null, got 0"),
        (
            {"corpus": {"shards": 257}},
            "corpus.shards: expected an integer in [1, 256] or null, got 257",
        ),
        (
            {"corpus": {"splits": {"stratify": True}, "columns": {"group": "author"}}},
            "corpus.splits.stratify: expected false where columns has group or labels",
        ),
        (
            {"corpus": {"columns": {"keep": ["digest"]}}},
            "corpus.columns.keep: expected columns not named like those Limelight writes",
        ),
        (
            {"corpus": {"max_text_bytes": 0}},
            "corpus.max_text_bytes: expected an integer >= 1, got 0",
        ),
        ({"text": {"max_tokens": "7"}}, 'text.max_tokens: expected an integer >= 1, got "7"'),
        ({"text": None}, "text: expected an object, got null"),
        ({"name": "a b"}, "name: expected letters, digits, '.', '_' or '-', got 'a b'"),
        ({"name": "../x"}, "name: expected letters, digits, '.', '_' or '-', got '../x'"),
        ({"workspace": ""}, "workspace: expected a folder's path without "),
        ({"workspace": "runs/[1]"}, "workspace: expected a folder's path without "),
    ],
)
def test_a_bad_value_is_one_line_with_its_key(values: dict[str, Any], message: str) -> None:
    line = fails(values)
    assert line.startswith(message)
    assert line.endswith(". Edit my.yaml or pass --set KEY=VALUE.")


def test_all_problems_of_different_sections_are_told_at_once() -> None:
    line = fails({"text": {"max_tokens": 0}, "training": {"epochs": 0}, "nam": "x"})
    assert "text.max_tokens: " in line
    assert "training.epochs: " in line
    assert "nam: unknown key (did you mean name?)" in line


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs", "--set training.epochs: expected KEY=VALUE such as"),
        ("=3", "--set =3: expected KEY=VALUE such as"),
        ("training.epochs=[", "--set training.epochs=[: expected a YAML value, got '['"),
        ("name.x=1", "--set name.x=1: expected name to be a section, got str"),
        ("training.epoch=1", "training.epoch: unknown key (did you mean training.epochs?)"),
    ],
)
def test_a_bad_override_is_one_line(override: str, message: str) -> None:
    assert fails({"name": "x"}, override).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1", "expected YAML, got while parsing"),
        (b"- 1", "expected sections such as 'corpus:', got list"),
        (b"", "expected sections such as 'corpus:', got NoneType"),
        ("name: \u00e9".encode("latin-1"), "expected UTF-8 text, got other bytes from byte 6"),
    ],
)
def test_a_file_that_is_no_config_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(str(path))
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "problem"), [("none.yaml", "No such file"), (".", "Is a dir")])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"expected a readable config file, got {problem}"):
        load_config(str(tmp_path / name))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("gs://b/*.JSONL.GZ", "jsonl"),
        ("x.json.zst", "jsonl"),
        ("a.b/x.csv.bz2", "csv"),
        ("x.tsv", "csv"),
        ("x.parquet", "parquet"),
        ("x.txt", "text"),
        ("x.tfrecord.gz", "tfrecord"),
    ],
)
def test_a_name_suggests_a_format(path: str, expected: str) -> None:
    assert infer_format(path) == expected


@pytest.mark.parametrize(
    ("path", "delimiter"), [("a.tsv", "\t"), ("a.tsv.gz", "\t"), ("a.csv", ",")]
)
def test_a_tsv_is_divided_at_tabs(path: str, delimiter: str) -> None:
    assert new_input(path).delimiter == delimiter


@pytest.mark.parametrize("path", ["corpus", "a.jsonl/part-1", "x.gz", "x.doc", "*"])
def test_a_name_that_suggests_none_is_an_error(path: str) -> None:
    with pytest.raises(ConfigError) as raised:
        infer_format(path)
    assert str(raised.value).startswith(f"--input {path}: expected a name ending in jsonl, ")


CONFIGS = Path(__file__).resolve().parents[3] / "configs"


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """The dotted keys of a tree of mappings; those of a list's items are all of its items'."""
    if isinstance(value, list | tuple):
        return {key for item in value for key in keys_of(item, prefix)} or {prefix}
    if not isinstance(value, dict):
        return {prefix}
    return {found for key in value for found in keys_of(value[key], f"{prefix}.{key}".lstrip("."))}


def test_the_quickstart_config_spells_out_every_key() -> None:
    written = yaml.safe_load((CONFIGS / "quickstart.yaml").read_text(encoding="utf-8"))
    corpus = CorpusConfig(inputs=(InputConfig(path="x"),))
    every = dataclasses.asdict(dataclasses.replace(Config(), corpus=corpus))
    assert keys_of(written) == keys_of(every)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_can_be_loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPORA", "/corpora")
    assert load_config(str(path)).corpus.inputs
