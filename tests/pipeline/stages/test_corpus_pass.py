"""One pass over a corpus: every row is accounted for."""

import functools
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import pytest

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.accounting import AccountingError, count_used
from pipeline.corpora.reading.input_files import InputFile, find_input_files
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.stages.corpus_pass import account, pass_over_corpus
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.read_documents import ReadDocuments

FILES = BeamFiles()


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusConfig:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n{"text": "y"}\nno JSON\n')
    return CorpusConfig(inputs=(InputConfig(path=str(tmp_path / "a.jsonl")),))


def found(corpus: CorpusConfig) -> list[InputFile]:
    return find_input_files(FILES, corpus)


def define(root: beam.Pipeline, units: Sequence[Unit], corpus: CorpusConfig, path: str) -> None:
    """Counts the rows of a corpus and does nothing else with them."""
    read = root | beam.Create(units) | "Read" >> ReadDocuments(corpus, FILES)
    used = read.documents | "Used" >> beam.MapTuple(lambda unit, documents: count_used(documents))
    rejected = read.rejections | "Rejected" >> CountRejections()
    (read.counts, used, rejected) | CountRows(path, FILES)


def test_a_pass_runs_the_pipeline_and_accounts_for_every_row(
    tmp_path: Path, corpus: CorpusConfig
) -> None:
    staging = ScoringStaging(folder=str(tmp_path))
    counted = pass_over_corpus(
        functools.partial(define, corpus=corpus, path=staging.counts),
        found(corpus),
        corpus,
        step="test",
        staging=staging,
        beam_options=[],
        files=FILES,
    )
    assert counted.rows == {"read": 3, "used": 2, "rejected": {"malformed_row": 1}}
    [item] = counted.inputs
    assert (item["rows_read"], item["rows_used"], item["rows_rejected"]) == (3, 2, 1)
    assert counted.seconds > 0


def test_rows_that_do_not_balance_are_an_error(corpus: CorpusConfig) -> None:
    counts = {"files": {"a.jsonl": {"rows_read": 3, "rows_used": 2}}}
    with pytest.raises(AccountingError, match="got 3 read, 2 used, 0 rejected"):
        account(counts, found(corpus))
