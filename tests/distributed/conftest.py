from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.distributed.jobs import Job, generate_corpora, read_predictions
from tests.distributed.replaced_night import publish_old, undisturbed
from tests.pipeline.stages.nights import Nights
from tests.pipeline.tiny_model import write_model


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The corpora that every engine works on."""
    return generate_corpora(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, corpus: str) -> Job:
    """The job as Beam's in-process FnApiRunner runs it."""
    folder = tmp_path_factory.mktemp("reference")
    job = Job(corpus=corpus, folder=str(folder), beam_options=())
    job.train(job.configure(folder))
    job.score()
    return job


@pytest.fixture(scope="session")
def expected(reference: Job) -> list[dict[str, Any]]:
    """The predictions that every engine must produce."""
    return read_predictions(Path(reference.predictions))


@pytest.fixture(scope="session")
def expected_metrics(reference: Job, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The metrics that every engine must produce."""
    return reference.evaluate(tmp_path_factory.mktemp("metrics"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model of the nights."""
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def old_and_new(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: str
) -> tuple[pa.Table, pa.Table]:
    """The rows of a run over the old corpus and of one over the new corpus, without any fault."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"), tiny_model)


@pytest.fixture
def nights(tmp_path: Path, tiny_model: str) -> Nights:
    """The old corpus is scored and published; the new one, in three files, is not scored yet."""
    return publish_old(Nights(folder=tmp_path, model=tiny_model))
