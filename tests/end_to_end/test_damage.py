"""A file with forty kinds of damage: each rejects its own row, with its reason, and no other."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.config.loading import build_config
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join
from tests.pipeline.examples import read_example, read_records

FILES = BeamFiles()
ROWS = 2_000


def line(**fields: object) -> bytes:
    row = {"text": "a fine text", "label": "good", "split": "train", **fields}
    given = {name: value for name, value in row.items() if value is not ...}
    return json.dumps(given, ensure_ascii=False).encode()


DAMAGES: tuple[tuple[str, bytes], ...] = (
    ("malformed_row", line()[:25]),  # 1 cut off
    ("malformed_row", b"a fine text without any JSON"),
    ("malformed_row", b"[1, 2, 3]"),
    ("malformed_row", b'"a string"'),
    ("malformed_row", b"42"),
    ("malformed_row", b"null"),
    ("malformed_row", line()[:-1] + b",}"),  # 7 a trailing comma
    ("malformed_row", b"{'text': 'single quotes'}"),
    ("malformed_row", line()[:-1] + b', "weight": Infinity}'),
    ("malformed_row", line()[:-1] + line()),  # 10 without what is between two rows
    ("malformed_row", b'{"text": "a", "deep": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    ("malformed_row", b'{"text": "bad escape \\x41"}'),
    ("not_utf8", line(text="caf@").replace(b"@", b"\xe9")),  # 13 Latin-1
    ("not_utf8", line(text="@").replace(b"@", b"\xe2\x82")),  # cut within a character
    ("not_utf8", line(text="@").replace(b"@", b"\xc0\xaf")),  # overlong
    ("not_utf8", line(text="@").replace(b"@", b"\xed\xa0\x80")),  # an encoded surrogate
    ("not_utf8", line(text="@").replace(b"@", b"\xf4\x90\x80\x80")),  # beyond Unicode
    ("not_utf8", line(label="@").replace(b"@", b"\xff")),
    ("missing_column", b"{}"),  # 19
    ("missing_column", line(text=...)),
    ("missing_column", line(text=..., Text="another key")),
    ("empty_text", line(text=None)),  # 22
    ("empty_text", line(text="")),
    ("empty_text", line(text=" \t\r\n ")),
    ("empty_text", line(text="\u3000\u00a0\u2003")),
    ("empty_text", line(text="<br /><br />")),  # nothing but dropped markup
    ("malformed_row", line(text=17)),  # 27
    ("malformed_row", line(text=["a", "list"])),
    ("malformed_row", line(text={"a": "mapping"})),
    ("unknown_label", line(label=...)),  # 30
    ("unknown_label", line(label=None)),
    ("unknown_label", line(label="  ")),
    ("unknown_label", line(label="never trained on", split="test")),
    ("malformed_row", line(label=["good"])),  # 34
    ("malformed_row", line(weight=-1)),
    ("malformed_row", line(weight="heavy")),
    ("malformed_row", line(why=[[3, 999]])),  # a span outside the text
    ("malformed_row", line(split="holdout")),
    ("duplicate_id", line(id="row 3")),  # 39
    ("text_too_large", line(text="long " * 1_000)),
)

# Unusual, but valid.
HARMLESS: tuple[bytes, ...] = (
    line(text="a\u0000b NUL"),
    b'{"text": "raw NUL \0 here", "label": "good", "split": "train"}',
    line(text="مرحبا بالعالم"),
    line(text="👨‍👩‍👧 joined"),
    line(text="e\u0301\u0323 marks"),
    line(text="windows line") + b"\r",
    b"\xef\xbb\xbf" + line(text="a mark of byte order inside"),
    line(text="@").replace(b"@", b"\\ud83d alone"),
    line(label=True),
    line(id=None, text="no id"),
    line(why="fine"),
    line(extra={"any": ["thing", None, 1.5]}),
)


def test_forty_kinds_of_damage_reject_forty_rows(tmp_path: Path) -> None:
    assert len(DAMAGES) == 40
    lines = [
        line(id=f"row {row}", text=f"row number {row}", label=("good", "bad")[row % 2])
        for row in range(ROWS)
    ]
    damaged = {11 + 47 * index: damage for index, damage in enumerate(DAMAGES)}
    strange = {14 + 150 * index: content for index, content in enumerate(HARMLESS)}
    assert max(*damaged, *strange) < ROWS
    assert not set(damaged) & set(strange)
    for row, (_, content) in damaged.items():
        lines[row] = content
    for row, content in strange.items():
        lines[row] = content
    lines[3] = line(id="row 3", text="row number 3", label="bad", split="test")
    corpus = tmp_path / "damaged.jsonl"
    corpus.write_bytes(b"\xef\xbb\xbf" + b"\n\n".join(lines))  # blank lines are not rows
    values = {
        "workspace": str(tmp_path / "runs"),
        "corpus": {
            "inputs": [{"path": str(corpus)}],
            "columns": {"id": "id", "split": "split", "weight": "weight", "rationale": "why"},
            "max_rejected_fraction": 0.02,
            "max_text_bytes": 3_000,
        },
        "text": {"max_tokens": 10, "drop_html": True},
    }
    config = build_config(values, (), where="test")
    dataset = prepare(config, beam_options=[], files=FILES)

    reasons = Counter(reason for reason, _ in DAMAGES)
    rows = dict(dataset.manifest["rows"])
    weights, ids, repaired = rows.pop("notes")
    assert weights.startswith("corpus.columns.weight: expected the column 'weight', got none in ")
    assert ids.startswith("17 of ")  # the documents whose lines give none
    assert repaired.startswith("In 1 row of ")
    assert rows == {"read": ROWS, "used": ROWS - 40, "rejected": reasons, "repaired": 1}
    assert dataset.statistics["rows_repaired"] == 1
    rejected = {
        rejection["source_row"]: rejection
        for info in FILES.match(join(dataset.files.rejected, "*.parquet"))
        for rejection in pq.read_table(info.path).to_pylist()
    }
    assert {row: rejection["reason"] for row, rejection in rejected.items()} == {
        row: reason for row, (reason, _) in damaged.items()
    }
    for row, (reason, content) in damaged.items():
        assert rejected[row]["detail"].startswith("expected ")
        if reason in ("malformed_row", "not_utf8", "missing_column"):
            assert rejected[row]["raw"] == content[:1_000]
    used = {
        read_example(record)["document_id"][0].decode()
        for split in ("train", "test")
        for path in dataset.shards(split)
        for record in read_records(path)
    }
    assert used == {
        f"damaged.jsonl#{row}" if row in strange else f"row {row}"
        for row in range(ROWS)
        if row not in damaged
    }
