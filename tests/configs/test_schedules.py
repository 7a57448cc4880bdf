"""The schedules that a person can take, as far as they can be run without their service."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from google.cloud.dataflow_v1beta3 import LaunchFlexTemplateRequest
from google.protobuf import json_format

from pipeline.arguments import parse

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

LIST_TASKS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1], load_op_links=False)
tasks = {
    dag.dag_id: {
        "errors": list(bag.import_errors.values()),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tasks": [[task.task_type, task.retries] for task in dag.tasks],
        "bodies": [getattr(task, "body", None) for task in dag.tasks],
    }
    for dag in bag.dags.values()
}
print("RESULT" + json.dumps([tasks, list(bag.import_errors.values())]))
"""


def run_shell(command: str, folder: Path, **environment: str) -> list[list[str]]:
    """Runs a schedule's command with a Python that only writes down its arguments."""
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
    """Asserts that the words are a command that Limelight takes, for yesterday."""
    assert arguments[:3] == ["-m", "pipeline", "score"]
    parsed, _ = parse(arguments[2:])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", parsed.date)
    assert parsed.if_exists == "skip"
    assert "{date}" in parsed.input


def test_the_line_of_the_crontab_runs_the_command(tmp_path: Path) -> None:
    *settings, line = (
        line
        for line in (SCHEDULES / "crontab").read_text().splitlines()
        if line and not line.startswith("#")
    )
    environment = dict(setting.split("=", 1) for setting in settings)
    minute, hour, *days, command = line.split(" ", 5)
    assert (minute, hour, days) == ("15", "3", ["*", "*", "*"])
    assert not re.search(r"(?<!\\)%", command)  # cron would read a line feed
    environment |= {"LIMELIGHT": str(tmp_path), "OUTPUT": str(tmp_path)}
    [arguments] = run_shell(command.replace("\\%", "%"), tmp_path, **environment)
    check_command(arguments)


def test_the_systemd_service_runs_the_command(tmp_path: Path) -> None:
    text = (SCHEDULES / "limelight.service").read_text()
    [start] = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", text, re.M)
    environment = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.M))
    assert not re.search(r"(?<!%)%(?!%)", start)
    environment["LIMELIGHT"] = str(tmp_path)
    [arguments] = run_shell(start.replace("%%", "%"), tmp_path, **environment)
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


def test_the_schedulers_body_is_a_flex_template_launch() -> None:
    body = json.loads((SCHEDULES / "cloud_scheduler_body.json").read_text())
    request = LaunchFlexTemplateRequest.pb(LaunchFlexTemplateRequest())
    json_format.ParseDict(body, request)  # strict: an unknown field raises
    assert request.launch_parameter.container_spec_gcs_path.startswith("gs://")
    assert {"model", "input", "output"} == set(request.launch_parameter.parameters)
    body["launchParameter"]["jobname"] = "x"
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(body, request)


def test_the_schedulers_script_is_one_that_a_shell_reads() -> None:
    subprocess.run(["/bin/sh", "-n", str(SCHEDULES / "cloud_scheduler.sh")], check=True)


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
    [("local", "PythonOperator"), ("dataflow", "DataflowStartFlexTemplateOperator")],
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
    if operator == "dataflow":
        request = LaunchFlexTemplateRequest.pb(LaunchFlexTemplateRequest())
        json_format.ParseDict(dag["bodies"][0], request)
        assert request.launch_parameter.parameters["date"] == "{{ ds }}"
