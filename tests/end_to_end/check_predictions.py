"""Checks every row of a partition against the corpus that was scored.

    python -m tests.end_to_end.check_predictions --predictions DIR --input FILE [--input FILE ..]

The inputs are JSON lines, plain or gzip, with `id` and `text`. Prints what was
checked and exits 1 at the first row that breaks the contract.
"""

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


class ContractError(AssertionError):
    """A row of a partition that breaks the contract."""


def check_partition(folder: Path, texts: dict[str, str]) -> dict[str, Any]:
    """Checks a partition of predictions.

    Args:
        folder: with `part-*.parquet` and `_SUCCESS`.
        texts: the text of every document that should have been scored, by id.

    Returns:
        What was checked: `rows`, `tokens`, and the largest error of the sum of attention.

    Raises:
        ContractError: naming the document.
    """
    success = json.loads((folder / "_SUCCESS").read_text(encoding="utf-8"))
    present = sorted(path.name for path in folder.glob("part-*.parquet"))
    _require(present == sorted(item["file"] for item in success["files"]), "_SUCCESS", present)
    seen: set[str] = set()
    tokens = 0
    largest = 0.0
    for row in _rows(folder):
        document_id = row["document_id"]
        _require(document_id in texts and document_id not in seen, document_id, "id")
        seen.add(document_id)
        largest = max(largest, check_row(row, texts[document_id]))
        tokens += row["token_count"]
    _require(len(seen) == len(texts) == success["rows"], "rows", (len(seen), len(texts)))
    return {"rows": len(seen), "tokens": tokens, "largest_attention_error": largest}


def check_row(row: dict[str, Any], text: str) -> float:
    """Checks one row; returns how far its attention is from a sum of 1."""
    name = row["document_id"]
    lists = ("tokens", "token_starts", "token_ends", "attention")
    lists += ("contributions",) if "contributions" in row else ()  # of a wide part
    _require({len(row[column]) for column in lists} == {row["token_count"]}, name, "lengths")
    spans = zip(row["token_starts"], row["token_ends"], row["tokens"], strict=True)
    for start, end, token in spans:
        _require(text[start:end] == token != "", name, (start, end, token))
    error = abs(sum(row["attention"]) - 1)
    _require(error <= 1e-5 and min(row["attention"]) >= 0, name, "attention")
    _require(abs(sum(row["probabilities"]) - 1) <= 1e-5, name, "probabilities")
    best = max(row["probabilities"])
    _require(row["score"] == best == row["probabilities"][row["label_index"]], name, "score")
    digest = hashlib.sha256(text.encode()).hexdigest()
    _require(row["text_sha256"] == digest, name, "text_sha256")
    return error


def read_texts(paths: Sequence[Path]) -> dict[str, str]:
    """The texts of JSON lines files, by id."""
    texts = {}
    for path in paths:
        content = path.read_bytes()
        for line in (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines():
            row = json.loads(line)
            texts[row["id"]] = row["text"]
    return texts


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("part-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(1_000):
            yield from batch.to_pylist()


def _require(condition: bool, where: str, what: Any) -> None:
    if not condition:
        raise ContractError(f"{where}: {what}")


def main() -> int:
    """Checks the partition that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--input", type=Path, action="append", required=True)
    parsed = parser.parse_args()
    try:
        checked = check_partition(parsed.predictions, read_texts(parsed.input))
    except ContractError as error:
        print(f"broken: {error}")
        return 1
    print(
        f"{checked['rows']:,} rows and {checked['tokens']:,} tokens are as the contract says; "
        f"attention sums to 1 within {checked['largest_attention_error']:.1e}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
