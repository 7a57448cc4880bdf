"""Golden documents: texts with the predictions that they got when the model was trained."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from model.bundle.errors import BundleError
from model.bundle.file_limits import LIMITS
from model.bundle.file_names import GOLDEN
from model.bundle.lines import write_lines
from model.bundle.schema_checks import Number, Text, check_schema, list_of, object_of
from model.files.json_values import parse_json
from model.files.regular_files import read_regular

# Several times what training writes: 34 texts of at most 20,000 characters. A scorer reads them all
# at once.
MAX_CHARACTERS = 4_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenDocument:
    """A document and its prediction, which every scorer must reproduce.

    Attributes:
        text: the document.
        probabilities: one for each label.
        attention: one weight for each token.
    """

    text: str
    probabilities: list[float]
    attention: list[float]


_Golden = object_of(
    closed=True,
    text=Text,
    probabilities=list_of(Number),
    attention=list_of(Number),
)


_SCHEMA: TypeAdapter[Any] = TypeAdapter(_Golden)


def write_golden(folder: Path, golden: Sequence[GoldenDocument]) -> None:
    """Writes the golden documents of a model directory."""
    write_lines(folder / GOLDEN, [json.dumps(dataclasses.asdict(item)) for item in golden])


def read_golden(folder: Path, *, labels: int) -> list[GoldenDocument]:
    """Reads what `write_golden` wrote.

    Raises:
        ConfigError: as `parse_golden`; also for a file that is too large or no regular one.
    """
    path = folder / GOLDEN
    return parse_golden(read_regular(path, limit=LIMITS[GOLDEN]), labels=labels, where=str(path))


def parse_golden(content: bytes, *, labels: int, where: str) -> list[GoldenDocument]:
    """The golden documents in the content of a file.

    Args:
        content: of the file.
        labels: how many the model has.
        where: the file, for messages.

    Raises:
        ConfigError: naming the line and the key that do not fit.
        BundleError: if there is no document, or their texts are too long.
    """
    golden = []
    for number, line in enumerate(content.splitlines(), 1):
        place = f"{where}, line {number}"
        values = parse_json(line, where=place)
        check_schema(_SCHEMA, values, where=place)
        if len(values["probabilities"]) != labels:
            raise BundleError(
                f"{place}: expected {labels} probabilities, one for each label, got "
                f"{len(values['probabilities'])}. Copy the whole directory again."
            )
        golden.append(GoldenDocument(**values))
    characters = sum(len(item.text) for item in golden)
    if not golden or characters > MAX_CHARACTERS:
        got = f"{characters:,} characters" if golden else "none"
        raise BundleError(
            f"{where}: expected at least one golden document, and texts of at most "
            f"{MAX_CHARACTERS:,} characters, got {got}. Without them nothing would show that the "
            "model predicts as it was trained. Train the model again."
        )
    return golden
