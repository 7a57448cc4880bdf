"""The files that a command line names -> inputs: which format they have, how they are read.

The format follows from the names of the files. They are read like the config's files of
the same format, or else like those that the model was trained on.
"""

import dataclasses
import json
import logging
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from model.config import ConfigError
from model.config_loading import load_section
from pipeline.config.inputs import (
    Format,
    InputConfig,
    format_of,
    infer_format,
    is_tsv,
    with_format,
)
from pipeline.config.placeholders import any_date
from pipeline.corpora.reading.input_files import match_input
from pipeline.corpora.reading.parts import FilePart, open_part
from pipeline.corpora.reading.streams import CHUNK_BYTES, text_chunks, with_head
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.files import Files, base_name
from pipeline.storage.folders import is_local
from pipeline.storage.matching import Matched, UnusableFileError
from pipeline.storage.patterns import below

# How the bytes of an input become rows; the other keys say which input it is.
READING = (
    "format",
    "encoding",
    "errors",
    "delimiter",
    "quote",
    "escape",
    "double_quote",
    "strict",
    "column_names",
    "null_values",
    "document",
)
_PLAIN: tuple[Format, ...] = ("text", "semeval", "trec")  # formats of files that end in .txt

logger = logging.getLogger("limelight")


@dataclasses.dataclass(frozen=True)
class _Kind:
    """A format, and for CSV whether the name says that tabs delimit its fields."""

    format: Format
    tabs: bool = False

    def __str__(self) -> str:
        return "tsv" if self.tabs else self.format


def named_inputs(
    files: Files,
    paths: Sequence[str],
    *,
    config: Sequence[InputConfig],
    trained: Sequence[InputConfig] = (),
    text_column: str = "text",
) -> tuple[InputConfig, ...]:
    """An input for each path of a command line.

    Args:
        files: where the paths lie.
        paths: the values of `--input`.
        config: the inputs of the config.
        trained: the inputs that the model was trained on.
        text_column: the column of the text. Files named as text or CSV are JSON lines if the first
            line is an object that has it, but not where an input of `config` or `trained` is text.

    Raises:
        ConfigError: if the files of a path have several formats, or none that is known, or if the
            path is none, such as an empty one.
    """
    named = []
    for path in paths:
        if not path:
            raise ConfigError(
                "--input '': expected a path or glob, got none. Name the files to read."
            )
        try:
            named.append(_named_input(files, path, config, trained, text_column))
        except ConfigError:
            raise
        except ValueError as error:  # of InputConfig
            raise ConfigError(f"--input {path!r}: {error}.") from error
    return tuple(named)


def trained_corpus(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`columns` and `inputs` of the corpus of a model, from its manifest.

    They are empty where the manifest has no config, as that of a model which `train` did not write.
    """
    config = manifest.get("config")
    corpus = config.get("corpus") if isinstance(config, dict) else None
    columns, inputs = (
        (corpus.get("columns"), corpus.get("inputs")) if isinstance(corpus, dict) else (None, None)
    )
    return {
        "columns": columns if isinstance(columns, dict) else {},
        "inputs": inputs if isinstance(inputs, list) else [],
    }


def trained_inputs(corpus: Mapping[str, Any]) -> list[InputConfig]:
    """The inputs of the result of `trained_corpus`."""
    known = {field.name for field in dataclasses.fields(InputConfig)}
    inputs = []
    for values in corpus.get("inputs", []):
        if not isinstance(values, dict):
            continue
        given = {name: value for name, value in values.items() if name in known}
        if given.get("format") != "bigquery":
            inputs.append(load_section(InputConfig, given, where="the model's manifest"))
    return inputs


def read_as_trained(values: Mapping[str, Any], trained: Sequence[InputConfig]) -> Mapping[str, Any]:
    """The values of a config's input, completed by how files of its format were read in training.

    What the config says comes on top, also where it is a default.

    Args:
        values: what the config gives for one input.
        trained: the inputs that the model was trained on.
    """
    path, given = values.get("path"), with_format(values)
    if not isinstance(path, str):
        return values
    if "format" in given:
        kind = _Kind(given["format"], given["format"] == "csv" and is_tsv(path))
    else:
        kind = _only_kind(trained) or _Kind("jsonl")
    like = _like(kind, trained)
    if like is None:
        return values
    return {**{name: getattr(like, name) for name in READING}, **values}


def log_training_settings(values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Says how an input is read where the config does not say it.

    Args:
        values: the result of `read_as_trained`.
        given: what it was called with.
    """
    if values is not given:
        item = InputConfig(**{name: _frozen(values[name]) for name in ("path", *READING)})
        _say_settings(item.path, item, said=given)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _named_input(
    files: Files,
    path: str,
    config: Sequence[InputConfig],
    trained: Sequence[InputConfig],
    text_column: str,
) -> InputConfig:
    matched = _match(files, path)
    kind = _kind_of(matched, path, config=config, trained=trained)
    may_be_json = kind.format == "csv" or (
        kind.format == "text" and _like(kind, [*config, *trained]) is None
    )
    if may_be_json and matched is not None and _holds_json(files, matched, text_column):
        logger.info(
            "%s: read as JSON lines, because its first line is a JSON object with the column %r",
            path, text_column,
        )  # fmt: skip
        kind = _Kind("jsonl")
    like = _like(kind, config)
    if like is not None and trained:
        _say_settings(path, like, whose="the config's inputs and the model's corpus were")
    if like is None and (like := _like(kind, trained)) is not None:
        _say_settings(path, like)
    if like is None:
        _say_unused(path, kind, config)
        like = InputConfig(path=path, format=kind.format, delimiter="\t" if kind.tabs else ",")
    return dataclasses.replace(like, path=path, split=None)


def _like(kind: _Kind, inputs: Sequence[InputConfig]) -> InputConfig | None:
    """The first input of a kind. A `.tsv` is not read like a `.csv`."""
    same = (item for item in inputs if _Kind(item.format, _has_tabs(item)) == kind)
    return next(same, None)


def _has_tabs(item: InputConfig) -> bool:
    return item.format == "csv" and is_tsv(item.path)


def _kind_of(
    matched: Matched | None,
    path: str,
    *,
    config: Sequence[InputConfig],
    trained: Sequence[InputConfig],
) -> _Kind:
    kinds = {} if matched is None else dict(_kinds_of_files(matched))
    if not kinds:  # the files of the night may not be there yet, or not any more
        kinds = {_kind_of_name(path): path}
    named = [kind for kind in kinds if kind is not None]
    of_config, of_training = (_only_kind(inputs) for inputs in (config, trained))
    if not named:
        chosen = of_config or of_training
        return chosen or _Kind(infer_format(path))
    if len(named) == 1 and (len(kinds) == 1 or named[0] == of_config):
        if of_config is not None and named[0].format in _PLAIN and of_config.format in _PLAIN:
            return of_config
        return named[0]
    examples = ", ".join(
        f"{file} ({kind or 'no known ending'})" for kind, file in sorted(kinds.items(), key=str)
    )
    raise ConfigError(
        f"--input {path}: expected files of one format, got {examples}. "
        "Give each format an --input of its own."
    )


def _match(files: Files, path: str) -> Matched | None:
    """What a path means now; None if that is nothing. Placeholders of a date stand for any date."""
    written = is_local(path) and os.path.lexists(path)
    pattern = path if written else any_date(path)
    # The folders of the dates that match `in/*` are read whole, as the folder of one date is.
    patterns = [pattern] if pattern == path else [pattern, f"{pattern.rstrip('/')}/**"]
    for each in patterns:
        try:
            return match_input(files, each, key=f"--input {path}")
        except ConfigError as error:
            unusable = isinstance(error.__cause__, UnusableFileError)
            if "can be read only once" in str(error) or (unusable and pattern == path):
                raise
    return None


def _holds_json(files: Files, matched: Matched, text_column: str) -> bool:
    """Whether the first line of the first file that is not empty is an object with the column."""
    path = next((info.path for info in matched.files if info.bytes), None)
    if path is None:
        return False
    part = FilePart(path=path, source_file=path, input=InputConfig(path=path))
    try:
        with open_part(files, part) as stream:
            head, _ = with_head(text_chunks(stream, part), CHUNK_BYTES)
    except (BrokenFileError, OSError):  # named when the file is read
        return False
    try:
        value = json.loads(head.lstrip().partition(b"\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and text_column in value


def _kinds_of_files(matched: Matched) -> Iterator[tuple[_Kind | None, str]]:
    """The kinds of the files, each with one of the files that have it."""
    for info in reversed(matched.files):
        name = below(matched.folder, info.path)
        # The parts of a folder such as `all.parquet/` need no ending of their own.
        names = [*reversed(name.split("/")), base_name(matched.folder)]
        kinds = (_kind_of_name(each) for each in names)
        yield next((kind for kind in kinds if kind is not None), None), info.path


def _kind_of_name(name: str) -> _Kind | None:
    found = format_of(name)
    return None if found is None else _Kind(found, is_tsv(name))


def _only_kind(inputs: Sequence[InputConfig]) -> _Kind | None:
    kinds = {_Kind(item.format, _has_tabs(item)) for item in inputs if item.format != "bigquery"}
    return kinds.pop() if len(kinds) == 1 else None


def _say_settings(
    path: str,
    like: InputConfig,
    *,
    whose: str = "the model's corpus was",
    said: Container[str] = (),
) -> None:
    """Names the settings that are not defaults, without those that the config has `said`."""
    plain = InputConfig(path=path, format=like.format, delimiter="\t" if _has_tabs(like) else ",")
    settings = [text for name, text in _differences(like, plain).items() if name not in said]
    if settings:
        logger.info("%s: read as %s, with %s", path, whose, ", ".join(settings))


def _say_unused(path: str, kind: _Kind, config: Sequence[InputConfig]) -> None:
    """The settings of the config's inputs may have been meant for this path."""
    for item in config:
        said = _differences(item, InputConfig(path="x", format=item.format)).values()
        if said and item.format != "bigquery":
            logger.info(
                "%s: read as %s with the defaults; the config gives %s for %s, which is %s",
                path, kind, ", ".join(said), item.path, _Kind(item.format, _has_tabs(item)),
            )  # fmt: skip


def _differences(item: InputConfig, other: InputConfig) -> dict[str, str]:
    """By name, the settings of an input, such as `delimiter: ';'`, where another has other ones."""
    return {
        name: f"{name}: {getattr(item, name)!r}"
        for name in READING
        if name != "format" and getattr(item, name) != getattr(other, name)
    }
