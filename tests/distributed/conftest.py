from pathlib import Path
from typing import Any

import pytest

from tests.distributed.jobs import Job, read_predictions, write_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The corpora that every engine works on."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, corpus: str) -> Job:
    """The job, done by Beam's in-process FnApiRunner."""
    folder = tmp_path_factory.mktemp("reference")
    job = Job(corpus=corpus, folder=str(folder), beam_options=())
    job.train(job.configure(folder))
    job.score()
    return job


@pytest.fixture(scope="session")
def expected(reference: Job) -> list[dict[str, Any]]:
    """What every engine has to predict."""
    return read_predictions(Path(reference.predictions))


@pytest.fixture(scope="session")
def expected_metrics(reference: Job, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every engine has to measure."""
    return reference.evaluate(tmp_path_factory.mktemp("metrics"))
