import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import OutputConfig, ScoringConfig
from pipeline.corpora.formats import sampling
from pipeline.stages.pilot import Estimate, estimate_scoring, find_failures_of_preparing
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("pilot")
    made = Nights(folder=folder, model=write_model(folder / "model"))
    made.write(make_rows(3_000), shards=8)
    return made


def estimate(nights: Nights, **scoring: object) -> Estimate:
    config = dataclasses.replace(nights.config(), scoring=ScoringConfig(**scoring))
    return estimate_scoring(config, model=nights.model, files=BeamFiles())


def test_the_estimate_is_close_to_the_whole_run(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SAMPLED_DOCUMENTS", 1_000)
    expected = estimate(nights)
    assert not nights.output.exists()
    run = nights.score()
    assert expected.pilot_documents == 1_000
    assert expected.documents == pytest.approx(3_000, rel=0.02)
    written = sum(item["bytes"] for item in run.manifest["outputs"])
    assert expected.output_bytes == pytest.approx(written, rel=0.5)
    assert expected.memory_bytes > 100e6
    assert expected.seconds > expected.pilot_seconds


def test_output_settings_change_the_estimated_bytes(nights: Nights) -> None:
    bare = estimate(nights, output=OutputConfig(attention="none"))
    assert bare.output_bytes < estimate(nights).output_bytes
    assert estimate(nights, min_score=1.0).output_bytes < bare.output_bytes


def test_a_compressed_file_is_measured_in_its_own_bytes(tmp_path: Path, nights: Nights) -> None:
    [first, *_] = sorted((nights.folder / "corpus").rglob("*.jsonl"))
    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(first.read_bytes()))
    config = nights.config()
    corpus = dataclasses.replace(config.corpus, inputs=(InputConfig(path=str(path)),))
    found = estimate_scoring(
        dataclasses.replace(config, corpus=corpus), model=nights.model, files=BeamFiles()
    )
    assert found.documents == 375


def test_a_value_that_cannot_name_a_folder_does_not_stop_the_pilot(
    tmp_path: Path, nights: Nights
) -> None:
    path = tmp_path / "corpus.jsonl"
    rows = [{"id": str(n), "text": "so good", "lang": "en" * n} for n in (1, 2, 300)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = nights.config()
    columns = dataclasses.replace(config.corpus.columns, keep=("lang",))
    corpus = dataclasses.replace(
        config.corpus, inputs=(InputConfig(path=str(path)),), columns=columns
    )
    scoring = ScoringConfig(output=OutputConfig(partition_by="lang"))
    config = dataclasses.replace(config, corpus=corpus, scoring=scoring)
    assert estimate_scoring(config, model=nights.model, files=BeamFiles()).output_bytes > 0


def test_the_lines_of_the_summary() -> None:
    estimate = Estimate(
        pilot_documents=4_000,
        pilot_seconds=0.5,
        documents=90_000_000,
        seconds=11_400,
        memory_bytes=700_000_000,
        output_bytes=117_000_000_000,
    )
    assert estimate.summary() == [
        "pilot        4,000 documents, 8,000 documents/s",
        "would score  about 90,000,000 documents in 3 h 10 min, with one process like this one",
        "would need   about 700.0 MB of memory a process",
        "would fill   about 117.0 GB of predictions",
    ]


def test_rejected_rows_and_missing_columns_are_said(tmp_path: Path, nights: Nights) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"text": "good"}\n{"text": " "}\n{"text": 1}\n{"text": "bad"}\n' * 10)
    config = nights.config()
    corpus = dataclasses.replace(config.corpus, inputs=(InputConfig(path=str(path)),))
    config = dataclasses.replace(config, corpus=corpus)
    found = estimate_scoring(config, model=nights.model, files=BeamFiles())
    assert (found.documents, found.rejected) == (20, 20)
    lines = found.summary()
    assert "would reject about 20 rows" in lines
    assert (
        "note         corpus.columns.id: expected the column 'id', got none in 20 documents. "
        "Name the right one, or leave it out."
    ) in lines
    path.write_text("nothing\n" * 50)
    found = estimate_scoring(config, model=nights.model, files=BeamFiles())
    assert (found.documents, found.rejected) == (0, 50)


def failures_of(path: Path, nights: Nights, **columns: Any) -> list[str]:
    config = nights.config()
    corpus = dataclasses.replace(
        config.corpus,
        inputs=(InputConfig(path=str(path)),),
        columns=dataclasses.replace(config.corpus.columns, **columns),
        max_rejected_fraction=0.01,
    )
    config = dataclasses.replace(config, corpus=corpus)
    found = estimate_scoring(config, model=nights.model, files=BeamFiles())
    lines = [line for line in found.summary() if line.startswith("would fail ")]
    assert len(lines) == len(found.failures)
    return [line.removeprefix("would fail   nothing would be published: ") for line in lines]


def test_a_corpus_that_must_fail_is_said_to(tmp_path: Path, nights: Nights) -> None:
    path = tmp_path / "corpus.jsonl"
    row = json.dumps({"id": "a", "text": "so good"}) + "\n"
    path.write_text(row * 600)
    assert failures_of(path, nights) == []
    assert failures_of(path, nights, id="ID") == [
        "corpus.columns.id: expected the column 'ID', got none in any document."
    ]
    path.write_text(row * 593 + "x\n" * 6)
    assert failures_of(path, nights) == [
        "1.002% of the rows would be rejected, expected at most 1.000% "
        "(corpus.max_rejected_fraction)."
    ]
    path.write_text(row * 594 + "x\n" * 5)
    assert failures_of(path, nights) == []
    path.write_bytes(gzip.compress((row * 600).encode())[:-12])
    assert failures_of(path, nights) == [
        "1 input file cannot be read to the end, expected at most 0 (corpus.max_broken_files)."
    ]
    path.write_bytes(b"")
    assert failures_of(path, nights) == [
        "expected rows, got none. Check that the corpus of the date is complete."
    ]


def test_a_sample_that_must_fail_says_about(
    tmp_path: Path, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SAMPLED_DOCUMENTS", 100)
    monkeypatch.setattr(sampling, "SAMPLED_BYTES", 1)
    row = json.dumps({"id": "a", "text": "so good"}) + "\n"
    path = tmp_path / "corpus.jsonl"
    path.write_text((row * 9 + "x\n") * 3_000)
    [failure] = failures_of(path, nights)
    assert failure.startswith("about 10.0")
    path.write_text(row * 30_000)
    assert failures_of(path, nights, id="ID") == []  # the rest may have it


def test_a_corpus_that_cannot_be_prepared_is_said_to(tmp_path: Path, nights: Nights) -> None:
    path = tmp_path / "corpus.jsonl"
    row = json.dumps({"id": "a", "text": "so good", "label": "x"}) + "\n"
    corpus = dataclasses.replace(
        nights.config().corpus,
        inputs=(InputConfig(path=str(path)),),
        max_rejected_fraction=0.01,
    )
    config = dataclasses.replace(nights.config(), corpus=corpus)
    path.write_text(row * 600)
    assert find_failures_of_preparing(config, files=BeamFiles()) == []
    path.write_text(row * 500 + "x\n" * 100)
    [failure] = find_failures_of_preparing(config, files=BeamFiles())
    assert failure.startswith("16.67% of the rows would be rejected, expected at most 1.00%")
