"""The schedules in configs/schedule, as far as they run without the service they are for."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.cli.app import parse_command
from pipeline.cli.invocation import split_beam_options
from pipeline.runners.options import check_runner

PROJECT = Path(__file__).resolve().parents[2]
SCHEDULES = PROJECT / "configs" / "schedule"
AIRFLOW = PROJECT / ".engines" / "airflow"  # made once; git ignores it
PACKAGES = (
    "apache-airflow==3.3.2",
    "apache-airflow-providers-google",
    "apache-airflow-providers-apache-beam",
    "apache-airflow-providers-standard",
    "apache-beam[gcp]==2.77.0",
)

PARSE_BODIES = """
import json, sys
from google.cloud.run_v2 import RunJobRequest
from google.protobuf import json_format
for text in sys.argv[1:]:
    request = RunJobRequest.pb(RunJobRequest())
    json_format.ParseDict(json.loads(text), request)  # strict: an unknown field raises
    [container] = request.overrides.container_overrides
    print(json.dumps(list(container.args)))
"""

RUN_TASK = """
import importlib.util, json, os, pathlib, sys
spec = importlib.util.spec_from_file_location("dag", sys.argv[1])
dag = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dag)
ends = []
for code in range(4):
    pathlib.Path(os.environ["LIMELIGHT_HOME"], "code").write_text(str(code))
    try:
        ends.append(dag.dag.get_task("score").python_callable("2026-11-20"))
    except Exception as error:
        ends.append(type(error).__name__)
print("RESULT" + json.dumps(ends))
"""

LIST_TASKS = """
import json, sys
import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.timetables.base import TimeRestriction
bag = DagBag(sys.argv[1], load_op_links=False)
begin = TimeRestriction(earliest=pendulum.datetime(2026, 11, 1), latest=None, catchup=True)

def first_run(dag):
    info = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=begin)
    return [info.logical_date.isoformat(), info.run_after.isoformat()]

tasks = {
    dag.dag_id: {
        "errors": list(bag.import_errors.values()),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tasks": [[task.task_type, task.retries] for task in dag.tasks],
        "overrides": [getattr(task, "overrides", None) for task in dag.tasks],
        "first_run": first_run(dag),
    }
    for dag in bag.dags.values()
}
print("RESULT" + json.dumps([tasks, list(bag.import_errors.values())]))
"""


def run_shell(command: str, folder: Path, **environment: str) -> list[list[str]]:
    """Runs a schedule's command with a Python that only prints its arguments."""
    fake = folder / ".venv" / "bin"
    fake.mkdir(parents=True)
    (fake / "python").write_text(
        f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    )
    (fake / "python").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PATH": os.environ["PATH"], "LIMELIGHT": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_command(arguments: Sequence[str]) -> None:
    """Asserts that the words run `score` for yesterday with options that are valid."""
    assert arguments[:3] == ["-m", "pipeline", "score"]
    check_arguments(arguments[2:])


def check_arguments(arguments: Sequence[str]) -> None:
    """Asserts that the options are valid, those after `--` for Beam, and name yesterday."""
    words, beam_options = split_beam_options(arguments)
    options = parse_command(words)
    today = datetime.datetime.now(datetime.UTC).date()
    assert options["date"] == (today - datetime.timedelta(days=1)).isoformat()
    assert options["if_exists"] == "skip"
    [path] = options["input"]
    assert "{date}" in path
    check_runner(beam_options, paths={f"--{name}": options[name] for name in ("model", "output")})


def test_the_line_of_the_crontab_runs_the_command(tmp_path: Path) -> None:
    *settings, line = (
        line
        for line in (SCHEDULES / "crontab").read_text().splitlines()
        if line and not line.startswith("#")
    )
    environment = dict(setting.split("=", 1) for setting in settings)
    minute, hour, *days, command = line.split(" ", 5)
    assert (minute, hour, days) == ("15", "3", ["*", "*", "*"])
    assert "%" not in command  # cron would read a line feed
    environment |= {"LIMELIGHT": str(tmp_path), "OUTPUT": str(tmp_path / "new")}
    [arguments] = run_shell(command, tmp_path, **environment)
    check_command(arguments)
    assert (tmp_path / "new" / "nightly.jsonl").exists()


def test_the_systemd_service_runs_the_command(tmp_path: Path) -> None:
    text = (SCHEDULES / "limelight.service").read_text()
    [start] = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.M)
    environment = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.M))
    assert "%" not in start  # systemd would put something in its place
    environment["LIMELIGHT"] = str(tmp_path)
    [arguments] = run_shell(start, tmp_path, **environment)
    check_command(arguments)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", ["limelight.service", "limelight.timer"])
def test_systemd_accepts_the_units(unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(SCHEDULES / unit)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "limelight" not in done.stderr  # a warning names the unit


def test_the_schedulers_body_runs_the_command() -> None:
    body = json.loads((SCHEDULES / "cloud_scheduler_body.json").read_text())
    [container] = body["overrides"]["containerOverrides"]
    check_arguments(container["args"])


def test_the_schedulers_script_starts_the_job_that_it_makes(tmp_path: Path) -> None:
    """The test puts a gcloud in the path that only prints its arguments."""
    (tmp_path / "gcloud").write_text(
        f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    )
    (tmp_path / "gcloud").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(SCHEDULES / "cloud_scheduler.sh")],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PROJECT": "p", "REGION": "r"},
        capture_output=True,
        text=True,
        check=True,
    )
    deploy, bind, schedule = (json.loads(line) for line in done.stdout.splitlines())
    [name] = {deploy[3], bind[3]}
    assert "--command=limelight" in deploy
    flags = dict(word.split("=", 1) for word in schedule if word.startswith("--"))
    assert flags["--uri"] == f"https://run.googleapis.com/v2/projects/p/locations/r/jobs/{name}:run"
    assert json.loads(Path(flags["--message-body-from-file"]).read_text())["overrides"]


@pytest.fixture(scope="module")
def airflow() -> Path:
    """The Python of a virtual environment with Airflow, made once."""
    python = AIRFLOW / "bin" / "python"
    if not (AIRFLOW / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(AIRFLOW)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--only-binary", "apache-beam", *PACKAGES],
            check=True,
        )  # fmt: skip
        (AIRFLOW / "complete").touch()
    return python


@pytest.mark.distributed
@pytest.mark.parametrize(
    ("operator", "task"),
    [("local", "PythonOperator"), ("dataflow", "CloudRunExecuteJobOperator")],
)
def test_the_dag_imports_in_airflow(
    airflow: Path, tmp_path: Path, operator: str, task: str
) -> None:
    (tmp_path / "dags").mkdir()
    shutil.copy(SCHEDULES / "airflow_dag.py", tmp_path / "dags")
    done = subprocess.run(
        [str(airflow), "-c", LIST_TASKS, str(tmp_path / "dags")],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "LIMELIGHT_OPERATOR": operator,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    dags, errors = json.loads(line.removeprefix("RESULT"))
    assert errors == []
    dag = dags["limelight_score"]
    assert dag["catchup"] is True
    assert dag["max_active_runs"] == 1
    assert dag["tasks"] == [[task, 3]]
    # The date of a run, {{ ds }}, is the day before it.
    assert dag["first_run"] == ["2026-11-01T03:15:00+00:00", "2026-11-02T03:15:00+00:00"]
    if operator == "dataflow":
        body = json.dumps({"overrides": dag["overrides"][0]})
        [arguments] = parse_bodies(airflow, body)
        yesterday = [word.replace("{{ ds }}", "yesterday") for word in arguments]
        check_arguments([*yesterday, "--runner=FnApiRunner"])


@pytest.mark.distributed
def test_the_dags_task_is_retried_after_exit_code_1_only(airflow: Path, tmp_path: Path) -> None:
    """The test puts a command in place of Limelight that only ends with an exit code."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text('#!/bin/sh\nexit "$(cat code)"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    done = subprocess.run(
        [str(airflow), "-c", RUN_TASK, str(SCHEDULES / "airflow_dag.py")],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "LIMELIGHT_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    again, never = "AirflowException", "AirflowFailException"
    assert json.loads(line.removeprefix("RESULT")) == [None, again, never, never]


@pytest.mark.distributed
def test_the_clouds_own_library_takes_the_schedulers_body(airflow: Path) -> None:
    body = json.loads((SCHEDULES / "cloud_scheduler_body.json").read_text())
    [arguments] = parse_bodies(airflow, json.dumps(body))
    assert arguments == body["overrides"]["containerOverrides"][0]["args"]
    body["overrides"]["containeroverrides"] = body["overrides"].pop("containerOverrides")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        parse_bodies(airflow, json.dumps(body))
    assert "ParseError" in refused.value.stderr


def parse_bodies(airflow: Path, *bodies: str) -> list[list[str]]:
    """The arguments in requests to run a job, parsed strictly by Google's client library."""
    done = subprocess.run(
        [str(airflow), "-c", PARSE_BODIES, *bodies], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
