"""YAML -> a config: parses the file, applies overrides, fills in variables, checks the values."""

import copy
import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from model.config import ConfigError
from model.config_loading import load_section
from model.files.yaml_files import DuplicateKeyError, parse_yaml, read_yaml
from pipeline.config.inputs import with_format
from pipeline.config.sections import Config

_NOUNS = {list: "list", str: "text", int: "number", float: "number"}


def load_config(path: str, overrides: Sequence[str] = ()) -> Config:
    """Reads a YAML file, applies `KEY=VALUE` overrides, fills in `${NAME}` from the environment.

    A config without `name` is named after its file.

    Raises:
        ConfigError: for a file that cannot be read or parsed, a key that is given twice or is
            unknown, an unset environment variable, a value out of range. The message is one line.
    """
    return build_config(read_values(path), overrides, where=path)


def read_values(path: str) -> dict[str, Any]:
    """The sections of a YAML file as they are written; without `name`, named after the file.

    Raises:
        ConfigError: for a file that cannot be read or parsed, or a key that is given twice.
    """
    try:
        values = read_yaml(Path(path))
    except OSError as error:
        raise ConfigError(
            f"{path}: expected a readable config file, got {error.strerror}. Check --config."
        ) from None
    if not isinstance(values, dict):
        got = "an empty file" if values is None else f"a {_NOUNS.get(type(values), 'value')} alone"
        raise ConfigError(
            f"{path}: expected sections such as 'corpus:', got {got}. See configs/quickstart.yaml."
        )
    return {"name": Path(path).stem, **values}


def build_config(values: dict[str, Any], overrides: Sequence[str], *, where: str) -> Config:
    """A config from plain values, `KEY=VALUE` overrides and the environment.

    Raises:
        ConfigError: for the same errors as `load_config`. The message names `where`, the place
            that the user must edit.
    """
    return config_of(resolve_values(values, overrides, where=where), where=where)


def resolve_values(
    values: Mapping[str, Any], overrides: Sequence[str], *, where: str
) -> dict[str, Any]:
    """A copy of the values with `KEY=VALUE` overrides and the environment's variables in it.

    Raises:
        ConfigError: for a key that cannot be set, or a variable that is not set.
    """
    resolved = copy.deepcopy(dict(values))
    for override in overrides:
        _apply_override(resolved, override)
    expanded: dict[str, Any] = _expand(resolved, where=where)
    return expanded


def config_of(values: Mapping[str, Any], *, where: str) -> Config:
    """A config from values as `resolve_values` gives them.

    Raises:
        ConfigError: for an unknown key or a value out of range.
    """
    corpus = values.get("corpus")
    inputs = corpus.get("inputs") if isinstance(corpus, Mapping) else None
    if isinstance(corpus, Mapping) and isinstance(inputs, list):
        named = [with_format(item) if isinstance(item, Mapping) else item for item in inputs]
        values = {**values, "corpus": {**corpus, "inputs": named}}
    return load_section(Config, values, where=where)


def config_of_date(config: Config, date: str) -> Config:
    """The config with a date in place of every `{date}` in its inputs."""
    inputs = tuple(item.of_date(date) for item in config.corpus.inputs)
    return dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, inputs=inputs))


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"--set {override}: expected KEY=VALUE such as training.epochs=3, got no key or "
            "no '='. Write the dotted key, '=', and a YAML value."
        )
    *sections, name = key.split(".")
    for depth, section in enumerate(sections, 1):
        whole = ".".join(sections[:depth])
        inner: Any = values.setdefault(section, {})
        if isinstance(inner, list) or (whole == "corpus.inputs" and not inner):
            example = '{path: x.csv, delimiter: ";"}' if whole == "corpus.inputs" else "..."
            raise ConfigError(
                f"--set {override}: expected a key of a section, got an item of the list {whole}. "
                f"Set the whole list: --set '{whole}=[{example}]'."
            )
        if not isinstance(inner, dict):
            raise ConfigError(
                f"--set {override}: expected {section} to be a section, got "
                f"{type(inner).__name__}. Set {section} itself instead."
            )
        values = inner
    try:
        values[name] = parse_yaml(value)
    except DuplicateKeyError as error:
        raise ConfigError(
            f"--set {override}: expected each key once, got {error.key!r} twice. Delete one."
        ) from None
    except yaml.YAMLError:
        raise ConfigError(
            f"--set {override[:100]}: expected a YAML value, got {value[:100]!r}. "
            "Write text with special characters in quotes."
        ) from None


def _expand(value: Any, *, where: str) -> Any:
    """Replaces `${NAME}` by the value of the environment variable in every string of a tree."""
    if isinstance(value, Mapping):
        return {str(key): _expand(item, where=where) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, where=where) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise ConfigError(
                f"{where}: expected the environment variable {name} to be set for "
                f"{value!r}, got none. Run: export {name}=..."
            )
        return os.environ[name]

    return re.sub(r"\$\{(\w+)\}", variable, value)
