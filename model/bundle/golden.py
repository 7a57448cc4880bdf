"""Golden documents: texts with the predictions that they got when the model was trained."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from model.bundle.file_names import GOLDEN
from model.bundle.lines import write_lines


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


def write_golden(folder: Path, golden: Sequence[GoldenDocument]) -> None:
    """Writes the golden documents of a model directory."""
    write_lines(folder / GOLDEN, [json.dumps(dataclasses.asdict(item)) for item in golden])


def read_golden(folder: Path) -> list[GoldenDocument]:
    """Reads what `write_golden` wrote."""
    lines = (folder / GOLDEN).read_text(encoding="utf-8").splitlines()
    return [GoldenDocument(**json.loads(line)) for line in lines]
