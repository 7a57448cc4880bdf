import pytest

from pipeline.config.sections import ScoringConfig
from pipeline.runners.parallelism import has_one_worker, process_threads

DATAFLOW = ["--runner=DataflowRunner", "--project=p", "--region=r"]


@pytest.mark.parametrize(
    ("beam_options", "threads"),
    [
        ([], "auto"),
        (["--runner=FnApiRunner", "--direct_running_mode=multi_threading"], "auto"),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=2"], 1),
        (DATAFLOW, 1),
        ([*DATAFLOW, "--experiments=no_use_multiple_sdk_containers"], "auto"),
        (["--runner=FlinkRunner"], "auto"),
        (["--runner=FlinkRunner", "--sdk_worker_parallelism=0"], 1),
    ],
)
def test_auto_is_every_core_unless_there_is_a_process_a_core(
    beam_options: list[str], threads: int | str
) -> None:
    assert process_threads(ScoringConfig(), beam_options) == threads
    assert process_threads(ScoringConfig(threads=3), beam_options) == 3


@pytest.mark.parametrize(
    ("beam_options", "one"),
    [
        ([], True),
        (["--runner=DirectRunner"], True),
        (["--direct_num_workers=2"], False),
        (["--direct_num_workers=0"], False),
        (["--runner=PrismRunner"], False),
        (DATAFLOW, False),
    ],
)
def test_the_local_runner_has_one_worker_by_default(beam_options: list[str], one: bool) -> None:
    assert has_one_worker(beam_options) is one
