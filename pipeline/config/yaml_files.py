"""YAML files -> plain values; a key that is given twice is an error.

PyYAML itself keeps the last of two equal keys and gives no message: if a file has two sections
`training:`, the first one would have no effect.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from model.config import ConfigError

_MERGE_TAG = "tag:yaml.org,2002:merge"


class DuplicateKeyError(yaml.MarkedYAMLError):
    """A mapping holds a key twice.

    Attributes:
        key: the key, as YAML reads it.
        line: the line of the second one, from 1.
        first_line: the line of the first one, from 1.
    """

    def __init__(self, key: object, *, first: yaml.Mark, second: yaml.Mark) -> None:
        super().__init__(problem=f"found the key {key!r} twice", problem_mark=second)
        self.key = key
        self.line = second.line + 1
        self.first_line = first.line + 1


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses two equal keys and an alias to itself.

    The error of a value that Python cannot hold, such as the date 2026-02-30, shows its line.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()
            node = self.anchors.get(alias.anchor)
            if isinstance(node, yaml.CollectionNode) and node.end_mark is None:  # not yet complete
                raise yaml.composer.ComposerError(
                    problem=f"found the alias *{alias.anchor} inside the value that it stands for",
                    problem_mark=alias.start_mark,
                )
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:  # PyYAML's own parsers
            kind = node.tag.removeprefix("tag:yaml.org,2002:")
            raise yaml.constructor.ConstructorError(
                problem=f"found a value that cannot be read as {kind} ({error})",
                problem_mark=node.start_mark,
            ) from None

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Keys are compared here, before a merge key `<<` adds the keys of another mapping: a key
        # that overrides a merged key is no duplicate.
        node = super().compose_mapping_node(anchor)
        marks: dict[object, yaml.Mark] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # refused later: a list or a mapping cannot be a key
            merges = key_node.tag == _MERGE_TAG
            key = key_node.value if merges else self.construct_object(key_node)
            if key in marks:
                raise DuplicateKeyError(key, first=marks[key], second=key_node.start_mark)
            marks[key] = key_node.start_mark
        return node


def parse_yaml(text: str) -> Any:
    """The plain values of a YAML document.

    Raises:
        DuplicateKeyError: for a mapping, at any depth, that holds a key twice.
        yaml.YAMLError: for any other text that is not YAML, or that has a value which is none,
            such as the date 2026-02-30, or which contains itself.
    """
    try:
        values = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506  # derived from SafeLoader
        json.dumps(values, default=str)
    except RecursionError:
        raise yaml.YAMLError("values that are nested too deeply") from None
    except TypeError as error:
        raise yaml.YAMLError(f"a value that cannot be read ({error})") from None
    return values


def read_yaml(path: Path) -> Any:
    """The plain values of a YAML file.

    Raises:
        OSError: for a file that cannot be read.
        ConfigError: for a file that is not UTF-8 or not YAML, or that gives a key twice. The
            message is one line.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected UTF-8 text, got other bytes from byte {error.start}. "
            "Save the file as UTF-8."
        ) from None
    except DuplicateKeyError as error:
        raise ConfigError(
            f"{path}, line {error.line}: expected each key once, got {error.key!r} again "
            f"(first on line {error.first_line}). Merge the two or delete one."
        ) from None
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path}: expected YAML, got {problem}. Correct the file.") from None
