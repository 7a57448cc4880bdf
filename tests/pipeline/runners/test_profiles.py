from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.cli.app import run_command
from pipeline.config.loading import build_config
from pipeline.runners.options import RUNNERS, check_runner, name_job, with_runner
from pipeline.runners.profiles import PROFILES, load_profile

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)


def write_profile(folder: Path, text: str) -> str:
    path = folder / "profile.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_profile_is_flags_and_config_keys(tmp_path: Path) -> None:
    profile = load_profile(
        write_profile(
            tmp_path,
            "beam: {runner: X, disk_size_gb: 50, labels: [a=b, c=d], update: true, off: false}\n"
            "config: {training.gpu: required, training.seeds: [1, 2], training.patience: null}\n",
        )
    )
    assert profile.beam_options == (
        "--runner=X",
        "--disk_size_gb=50",
        "--labels=a=b",
        "--labels=c=d",
        "--update",
    )
    assert profile.overrides == (
        "training.gpu=required",
        "training.seeds=[1, 2]",
        "training.patience=null",
    )


def test_an_empty_profile_changes_nothing(tmp_path: Path) -> None:
    profile = load_profile(write_profile(tmp_path, "beam:\n"))
    assert (profile.beam_options, profile.overrides) == ((), ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("beam: [", "expected YAML"),
        ("beam: {}\nbeam: {}", "line 2: expected each key once, got 'beam' again"),
        ("flags: {runner: X}", "got flags"),
        ("beam: FlinkRunner", "expected the sections 'beam' and 'config'"),
        ("just words", "expected the sections"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    path = write_profile(tmp_path, text)
    with pytest.raises(ConfigError, match=problem) as raised:
        load_profile(path)
    assert path in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean dataflow_gpu"):
        load_profile("dataflow-gpu")
    with pytest.raises(
        ConfigError, match="known are: dataflow, dataflow_gpu, direct, flink, prism"
    ):
        load_profile("xyz")


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_profiles_of_the_project_are_valid(path: Path) -> None:
    profile = load_profile(path.stem)
    config = build_config({}, profile.overrides, where=str(path))
    cloud = ["--project=my-project", "--region=us-central1", "--temp_location=gs://bucket/tmp"]
    image = ["--sdk_container_image=us-docker.pkg.dev/my-project/limelight/gpu:1"]
    more = [*cloud, *image] if "Dataflow" in profile.beam_options[0] else []
    check_runner([*profile.beam_options, *more], paths={}, training=config.training)


@pytest.mark.parametrize("runner", RUNNERS[:-1])
def test_a_runner_is_known_by_its_name(runner: str) -> None:
    for name in (runner, runner.lower(), runner.removesuffix("Runner")):
        check_runner([f"--runner={name}"], paths={"workspace": "runs"})
        check_runner(["--runner", name], paths={"workspace": "runs"})


def test_flags_without_a_runner_get_the_default_one() -> None:
    assert with_runner([]) == ["--runner=FnApiRunner"]
    assert with_runner(["--runner=FlinkRunner"]) == ["--runner=FlinkRunner"]
    assert with_runner(["--runner", "FlinkRunner"]) == ["--runner", "FlinkRunner"]
    check_runner([], paths={})


def test_a_runner_of_ones_own_is_taken_by_its_module() -> None:
    check_runner(["--runner=my.module.MyRunner"], paths={})


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--runner=DaskRunner"], "it reports success and writes empty files"),
        (["--runner=dask"], "it reports success and writes empty files"),
        (["--runner=FlinkRuner"], "did you mean FlinkRunner"),
        (["--runner=nothing"], "known are: FnApiRunner"),
        (["--direct_num_worker=2"], "did you mean --direct_num_workers"),
        (["--direct_num_workers=two"], "invalid int value: 'two'"),
        (["stray"], "expected Beam's, got stray"),
    ],
)
def test_unknown_runners_and_flags_are_refused(flags: list[str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as raised:
        check_runner(flags, paths={})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "words",
    [
        "demo --output out",
        "prepare --config CONFIG",
        "train --config CONFIG",
        "vectors --config CONFIG --output v.txt",
        "score --model m --input x.jsonl --output out",
        "compare --old m --new n --input x.jsonl --output out",
        "evaluate --model m --input x.jsonl",
    ],
)
def test_every_command_refuses_a_runner_that_does_not_work(words: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("corpus: {inputs: [{path: x.jsonl}]}")
    arguments = words.replace("CONFIG", str(config)).split()
    with pytest.raises(ConfigError, match="it reports success and writes empty files"):
        run_command([*arguments, "--", "--runner=DaskRunner"])


def test_an_engine_may_have_flags_of_its_own() -> None:
    check_runner(["--runner=FlinkRunner", "--checkpointing_interval=1000"], paths={})


def test_a_dataflow_job_has_the_same_name_every_time() -> None:
    flags = ["--runner=DataflowRunner"]
    named = name_job(flags, "score", "Demo_Model-1", "2026-11-20")
    assert named == [*flags, "--job_name=limelight-score-demo-model-1-2026-11-20"]
    assert name_job(named, "score", "other") == named
    assert name_job([], "score", "demo") == []
    [long] = name_job(flags, "train", "x" * 100)[1:]
    assert len(long.removeprefix("--job_name=")) == 52
