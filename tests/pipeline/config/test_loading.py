import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.config.loading import build_config, load_config
from pipeline.config.sections import Config

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


def load(tmp_path: Path, text: str, *overrides: str, name: str = "experiment.yaml") -> Config:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_config(str(path), overrides)


def fails(values: dict[str, Any], *overrides: str) -> str:
    """The one-line message of the error that a bad config raises."""
    with pytest.raises(ConfigError) as raised:
        build_config(values, overrides, where="my.yaml")
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_an_empty_config_has_the_defaults(tmp_path: Path) -> None:
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


def test_a_name_that_yaml_reads_as_a_date_is_accepted(tmp_path: Path) -> None:
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


def test_environment_variables_are_replaced_in_files_and_overrides(
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


def test_the_error_names_an_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    assert fails({"workspace": "${NOWHERE}/x"}) == (
        "my.yaml: expected the environment variable NOWHERE to be set for '${NOWHERE}/x', "
        "got none. Run: export NOWHERE=..."
    )


def test_a_dollar_sign_without_a_name_is_kept() -> None:
    assert build_config({"workspace": "a$b/${}"}, (), where="x").workspace == "a$b/${}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs", "--set training.epochs: expected KEY=VALUE such as"),
        ("=3", "--set =3: expected KEY=VALUE such as"),
        ("training.epochs=[", "--set training.epochs=[: expected a YAML value, got '['"),
        (
            "text={cut: head, cut: tail}",
            "--set text={cut: head, cut: tail}: expected each key once",
        ),
        ("name.x=1", "--set name.x=1: expected name to be a section, got str"),
        ("name=2026-02-30", "--set name=2026-02-30: expected a YAML value, got '2026-02-30'"),
        ("training=&t {epochs: *t}", "--set training=&t {epochs: *t}: expected a YAML value, got"),
        ("x=" + "[" * 2000, "--set x=[[[["),
        ("name=" + "[" * 250 + "]" * 250, "--set name=[[[["),
        (
            "name=1",
            "name: expected letters, digits, '.', '_' or '-', the first a letter or digit, got 1, "
            'which YAML reads as a number (text needs quotes: "1", in a shell \'"1"\')',
        ),
        ("training.seeds=1", "training.seeds: expected a list of at least one seed, such as [1], "),
        ("training.epoch=1", "training.epoch: unknown key (did you mean training.epochs?)"),
        ("max_tokens=1", "max_tokens: unknown key (did you mean text.max_tokens?)"),
        ("epochs=1", "epochs: unknown key (did you mean training.epochs or vectors.epochs or"),
    ],
)
def test_the_error_of_a_bad_override_is_one_line(override: str, message: str) -> None:
    assert fails({"name": "x"}, override).startswith(message)


@pytest.mark.parametrize("inputs", [None, [], [{"path": "a.csv"}]])
def test_an_item_of_a_list_cannot_be_set_alone(inputs: list[Any] | None) -> None:
    values: dict[str, Any] = {} if inputs is None else {"corpus": {"inputs": inputs}}
    assert fails(values, "corpus.inputs.0.delimiter=;") == (
        "--set corpus.inputs.0.delimiter=;: expected a key of a section, got an item of the list "
        "corpus.inputs. Set the whole list: "
        "--set 'corpus.inputs=[{path: x.csv, delimiter: \";\"}]'."
    )


def test_a_list_without_its_section_is_an_unknown_key() -> None:
    assert "inputs: unknown key (did you mean corpus.inputs?)" in fails({}, "inputs.0.path=x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1", "expected sections such as 'corpus:', got a list alone. See"),
        (b"", "expected sections such as 'corpus:', got an empty file. See"),
        (b"- a\n", "expected sections such as 'corpus:', got a list alone. See"),
        (b"corpus\n", "expected sections such as 'corpus:', got a text alone. See"),
    ],
)
def test_the_error_of_a_file_that_is_no_config_is_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(str(path))
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "problem"), [("none.yaml", "No such file"), (".", "Is a dir")])
def test_the_error_of_an_unreadable_file_is_one_line(
    tmp_path: Path, name: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=f"expected a readable config file, got {problem}"):
        load_config(str(tmp_path / name))


def test_a_pipe_is_no_config(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match="readable config file, got a FIFO"):
        load_config(str(tmp_path / "pipe.yaml"))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_can_be_loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPORA", "/corpora")
    assert load_config(str(path)).corpus.inputs
