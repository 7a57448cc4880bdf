"""YAML files -> plain values; a key that is given twice is an error.

PyYAML itself keeps the last of two equal keys and gives no message: if a file has two sections
`training:`, the first one would have no effect. It also lets a kilobyte of aliases stand for
billions of values, and reads `1:30` as the number 90, in time that grows with the square of its
length. Here what aliases stand for is counted, and `1:30` is text.
"""

import errno
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from model.config import ConfigError
from model.files.regular_files import decode_utf8, read_limited

MAX_BYTES = 4 << 20
MAX_NODES = 200_000  # keys, values, lists and mappings, each as often as an alias stands for it
MAX_DEPTH = 100
MAX_NUMBER = 400  # characters of a number

_MERGE_TAG = "tag:yaml.org,2002:merge"
_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


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
    """PyYAML's safe loader, which also refuses two equal keys and too many values.

    The error of a value that Python cannot hold, such as the date 2026-02-30, shows its line.

    Args:
        text: the document.
        max_nodes: how many nodes it may have.
        plain: refuses anchors, aliases, merge keys and tags.
    """

    def __init__(self, text: str, *, max_nodes: int, plain: bool) -> None:
        super().__init__(text)
        self._max_nodes = max_nodes
        self._plain = plain
        self._depth = 0
        self._nodes = 0  # so far, aliases unfolded
        self._sizes: dict[str, int] = {}  # the nodes that each anchor stands for

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        anchor = getattr(event, "anchor", None)
        if self._plain and (anchor is not None or getattr(event, "tag", None) is not None):
            raise yaml.composer.ComposerError(
                problem="found an anchor, an alias or a tag, where none is expected",
                problem_mark=event.start_mark,
            )
        if self.check_event(yaml.AliasEvent):
            node = self.anchors.get(anchor)
            if isinstance(node, yaml.CollectionNode) and node.end_mark is None:  # not yet complete
                raise yaml.composer.ComposerError(
                    problem=f"found the alias *{anchor} inside the value that it stands for",
                    problem_mark=event.start_mark,
                )
            self._count(self._sizes.get(str(anchor), 0), event)
            return super().compose_node(parent, index)
        before = self._nodes
        self._count(1, event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecursionError
        node = super().compose_node(parent, index)
        self._depth -= 1
        if anchor is not None:
            self._sizes[anchor] = self._nodes - before
        return node

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._max_nodes:
            raise yaml.composer.ComposerError(
                problem=f"found more than {self._max_nodes:,} values", problem_mark=event.start_mark
            )

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        number = node.tag in _NUMBER_TAGS and isinstance(node, yaml.ScalarNode)
        if number and len(node.value) > MAX_NUMBER:
            raise yaml.constructor.ConstructorError(
                problem=f"found a number of {len(node.value):,} characters",
                problem_mark=node.start_mark,
            )
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
            if merges and self._plain:
                raise yaml.composer.ComposerError(
                    problem="found a merge key, where none is expected",
                    problem_mark=key_node.start_mark,
                )
            key = key_node.value if merges else self.construct_object(key_node)
            if key in marks:
                raise DuplicateKeyError(key, first=marks[key], second=key_node.start_mark)
            marks[key] = key_node.start_mark
        return node


def _leave_out_base_60() -> None:
    """Makes `1:30` text, as in YAML 1.2: PyYAML reads it as a number to the base 60."""
    number = re.compile(r"[-+0-9][0-9_]*:")

    class Plain:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self._pattern = pattern

        def match(self, text: str) -> re.Match[str] | None:
            return None if number.match(text) else self._pattern.match(text)

    _UniqueKeyLoader.yaml_implicit_resolvers = {
        first: [
            (tag, Plain(pattern) if tag in _NUMBER_TAGS else pattern) for tag, pattern in resolvers
        ]
        for first, resolvers in _UniqueKeyLoader.yaml_implicit_resolvers.items()
    }


_leave_out_base_60()


def parse_yaml(text: str, *, max_nodes: int = MAX_NODES, plain: bool = False) -> Any:
    """The plain values of a YAML document.

    Args:
        text: the document.
        max_nodes: how many values it may have.
        plain: refuses anchors, aliases, merge keys and tags, which this program never writes.

    Raises:
        DuplicateKeyError: for a mapping, at any depth, that holds a key twice.
        yaml.YAMLError: for any other text that is not YAML, or that has a value which is none,
            such as the date 2026-02-30, or which contains itself, or too many values.
    """
    loader = None
    try:
        loader = _UniqueKeyLoader(text, max_nodes=max_nodes, plain=plain)
        values = loader.get_single_data()
        json.dumps(values, default=str)
    except RecursionError:
        raise yaml.YAMLError("values that are nested too deeply") from None
    except TypeError as error:
        raise yaml.YAMLError(f"a value that cannot be read ({error})") from None
    finally:
        if loader is not None:
            loader.dispose()
    return values


def read_yaml(path: Path) -> Any:
    """The plain values of a YAML file.

    Raises:
        OSError: for a file that cannot be read.
        ConfigError: for a file that is too large, not UTF-8 or not YAML, or that gives a key
            twice. The message is one line.
    """
    # The user named the file: it may also be a pipe, as in `--config <(...)`. That has no name in
    # a folder. One that has a name may have no writer, and would be waited for for ever.
    if stat.S_ISFIFO(os.stat(path).st_mode) and os.path.exists(os.path.realpath(path)):
        raise OSError(errno.EINVAL, "a FIFO", str(path))
    with path.open("rb") as stream:
        content = read_limited(stream, limit=MAX_BYTES, where=str(path))
    return load_yaml(decode_utf8(content, where=str(path)), where=str(path))


def load_yaml(text: str, *, where: str, max_nodes: int = MAX_NODES, plain: bool = False) -> Any:
    """As `parse_yaml`, with an error for the user.

    Raises:
        ConfigError: for what `parse_yaml` refuses; the message is one line and names `where`.
    """
    try:
        return parse_yaml(text, max_nodes=max_nodes, plain=plain)
    except DuplicateKeyError as error:
        raise ConfigError(
            f"{where}, line {error.line}: expected each key once, got {error.key!r} again "
            f"(first on line {error.first_line}). Merge the two or delete one."
        ) from None
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{where}: expected YAML, got {problem}. Correct the file.") from None
