"""Documents made to break a scorer, among 5,000 rows: every row is scored or rejected."""

import dataclasses
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.config.sections import ScoringConfig
from pipeline.schemas import REJECTIONS
from tests.end_to_end.check_predictions import check_row
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model

ROWS = 5_000
SCORED = {
    "one_token": "good",
    "a_million_tokens": "good bad " * 500_000,
    "only_emoji": "👩‍🚀🇺🇸👍🏽😀❤️👨‍👩‍👧🏳️‍🌈" * 50,
    "only_oov": "zzz yyy xxx " * 20,
    "nul_bytes": "good\x00bad\x00\x00so",
    "ten_megabytes_of_one_word": "x" * 10_000_000,
    "mixed_directions": "good العربية \u202e bad \u2066 עברית \u2069 so",
    "only_combining_marks": "\u0301" * 1_000,
    "html_that_never_ends": "<" * 10_000,
}
REJECTED = {
    "empty": "",
    "empty_after_tokenizing": " \u3000\n\t\u00a0",
    "larger_than_allowed": "y" * 10_000_001,
}
REASONS = {
    "empty": "empty_text",
    "empty_after_tokenizing": "empty_text",
    "larger_than_allowed": "text_too_large",
}


@pytest.fixture(scope="module", params=["truncate", "windows"])
def nights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("hostile")
    made = Nights(folder=folder, model=write_model(folder / "model"))
    texts = SCORED | REJECTED
    rows = make_rows(ROWS - len(texts))
    for number, (name, text) in enumerate(texts.items()):
        rows.insert(97 * number, {"id": name, "text": text})
    made.write(rows)
    config = dataclasses.replace(
        made.config(), scoring=ScoringConfig(engine="folded", long_documents=request.param)
    )
    made.score(config=config)
    return made


def test_every_row_is_answered_once(nights: Nights) -> None:
    [manifest] = nights.manifests()
    assert manifest["rows"] == {
        "read": ROWS,
        "used": ROWS - len(REASONS),
        "rejected": {"empty_text": 2, "text_too_large": 1},
    }
    written = nights.table().column("document_id").to_pylist()
    assert len(written) == len(set(written)) == ROWS - len(REASONS)


def test_rejections_have_the_expected_reasons(nights: Nights) -> None:
    rejected = pq.read_table(nights.partition().rejected, schema=REJECTIONS).to_pylist()
    assert {row["document_id"]: row["reason"] for row in rejected} == REASONS


def test_every_prediction_keeps_the_contract(nights: Nights) -> None:
    texts = {}
    for path in sorted((nights.folder / "corpus").rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            texts[row["id"]] = row["text"]
    for path in Path(nights.partition().predictions).glob("*.parquet"):
        for batch in pq.ParquetFile(path).iter_batches(500):
            for row in batch.to_pylist():
                check_row(row, texts[row["document_id"]])
