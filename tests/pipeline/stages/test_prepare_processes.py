"""prepare in several worker processes gives what one process gives."""

from pathlib import Path

import pytest

from tests.pipeline.stages.small_corpus import (
    ROWS,
    run,
    serialized,
    small_config,
    vocabulary_of,
    write_corpus,
)

TWO_PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.mark.distributed
def test_four_files_in_two_processes_give_the_examples_of_one(tmp_path: Path) -> None:
    auto = "text.max_tokens=auto"
    alone = run(small_config(tmp_path / "alone", write_corpus(tmp_path / "one", ROWS), auto))
    path = write_corpus(tmp_path / "four", ROWS, files=4)
    shared = run(small_config(tmp_path / "shared", path, auto), *TWO_PROCESSES)
    assert shared.text == alone.text
    assert vocabulary_of(shared) == vocabulary_of(alone)
    assert shared.labels == alone.labels
    assert serialized(shared) == serialized(alone)
    assert shared.statistics == alone.statistics
