import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.config import ConfigError, to_plain
from pipeline.config.inputs import InputConfig
from pipeline.config.loading import build_config
from pipeline.config.sections import (
    ColumnsConfig,
    Config,
    CorpusConfig,
    OutputConfig,
    ScoringConfig,
)


def fails(values: dict[str, Any]) -> str:
    """The one-line message of the error that a bad config raises."""
    with pytest.raises(ConfigError) as raised:
        build_config(values, (), where="my.yaml")
    message = str(raised.value)
    assert "\n" not in message
    return message


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
            "corpus.columns.keep: expected no column that Limelight itself writes, in capitals or "
            "not, and not dt, got ['score']",
        ),
        (
            {"corpus": {"columns": {"keep": ["lang", "lang"]}}},
            "corpus.columns.keep: expected each column once, whether in capitals or not, got "
            "('lang', 'lang')",
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
        (
            {"scoring": {"max_unknown": 1.5}},
            "scoring.max_unknown: expected a number in [0, 1] or null, got 1.5",
        ),
        (
            {"corpus": {"columns": {"keep": ["contributions"]}}},
            "corpus.columns.keep: expected no column that Limelight itself writes, in capitals or "
            "not, and not dt, got ['contributions']",
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
            "corpus.columns.keep: expected no column that Limelight itself writes",
        ),
        (
            {"corpus": {"max_text_bytes": 0}},
            "corpus.max_text_bytes: expected an integer >= 1, got 0",
        ),
        (
            {"text": {"max_tokens": "7"}},
            "text.max_tokens: expected an integer in [1, 100000] or 'auto', got \"7\"",
        ),
        ({"text": None}, "text: expected an object, got null"),
        (
            {"name": "a b"},
            "name: expected letters, digits, '.', '_' or '-'",
        ),
        (
            {"name": "../x"},
            "name: expected letters, digits, '.', '_' or '-'",
        ),
        ({"workspace": ""}, "workspace: expected a folder's path without "),
        ({"workspace": "runs/[1]"}, "workspace: expected a folder's path without "),
    ],
)
def test_the_error_of_a_bad_value_is_one_line_with_its_key(
    values: dict[str, Any], message: str
) -> None:
    line = fails(values)
    assert line.startswith(message)
    assert line.endswith(". Edit my.yaml or pass --set KEY=VALUE.")


def test_one_error_names_the_problems_of_all_sections() -> None:
    line = fails({"text": {"max_tokens": 0}, "training": {"epochs": 0}, "nam": "x"})
    assert "text.max_tokens: " in line
    assert "training.epochs: " in line
    assert "nam: unknown key (did you mean name?)" in line


CONFIGS = Path(__file__).resolve().parents[3] / "configs"


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """The dotted keys of a tree of mappings; the items of a list share the key of the list."""
    if isinstance(value, list | tuple):
        return {key for item in value for key in keys_of(item, prefix)} or {prefix}
    if not isinstance(value, dict):
        return {prefix}
    return {found for key in value for found in keys_of(value[key], f"{prefix}.{key}".lstrip("."))}


def leaves(value: Any, prefix: str = "") -> dict[str, Any]:
    """The values of a tree of mappings that are not mappings, by their dotted keys."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf
        for name in value
        for key, leaf in leaves(value[name], f"{prefix}.{name}".lstrip(".")).items()
    }


def test_the_quickstart_config_gives_every_key_and_its_default() -> None:
    text = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    corpus = CorpusConfig(inputs=(InputConfig(path="x"),))
    every = dataclasses.asdict(dataclasses.replace(Config(), corpus=corpus))
    assert keys_of(written) == keys_of(every)
    defaults = leaves(to_plain(Config()))
    for key, value in leaves(written).items():
        if value != defaults[key] and key != "corpus.inputs":
            name, value = key.rpartition(".")[2], str(value)
            lines = [line for line in text.splitlines() if f"{name}: {value}" in line]
            assert any("default" in line for line in lines), f"{key} is not {defaults[key]!r}"


@pytest.mark.parametrize("name", ["Label", "dt", "DT", "Score", "TEXT", "input_Label"])
def test_a_kept_column_equal_to_ours_but_for_case_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="keep: expected "):
        ColumnsConfig(keep=("label", name))


def test_the_text_and_the_label_of_the_input_can_be_kept_under_names_of_their_own() -> None:
    columns = ColumnsConfig(keep=("text", "lang", "label"))
    assert columns.kept_names == ("input_text", "lang", "input_label")
    output = OutputConfig(partition_by="input_label")
    corpus = CorpusConfig(columns=columns)
    Config(corpus=corpus, scoring=ScoringConfig(output=output))
    with pytest.raises(ValueError, match="each column once"):
        ColumnsConfig(keep=("text", "Input_Text"))
