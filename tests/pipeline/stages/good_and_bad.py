"""A config whose training ends within seconds: texts of two words that tell two labels apart."""

from pathlib import Path
from typing import Any

from tests.json_lines import write_json_lines


def good_and_bad(folder: Path, *, texts: int, **training: object) -> dict[str, Any]:
    """Writes a corpus with so many texts of each label; returns the values of a config for it.

    Few tests need the linear baseline, whose library takes a second to import.
    """
    rows = [
        {"text": f"{word} number {row} of many", "label": label}
        for row in range(texts)
        for word, label in (("good", "pos"), ("bad", "neg"))
    ]
    return {
        "name": "small",
        "workspace": str(folder / "runs"),
        "corpus": {"inputs": [{"path": write_json_lines(folder / "corpus.jsonl", rows)}]},
        "text": {"max_tokens": 8},
        "network": {"embedding": {"units": 8}, "lstm": {"units": 4}},
        "training": {
            "epochs": 2,
            "patience": None,
            "batch_size": 16,
            "baseline": "none",
            **training,
        },
    }
