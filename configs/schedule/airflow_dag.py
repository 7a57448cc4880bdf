"""An Airflow DAG that scores the corpus of every day on the following night.

Copy this file into the DAGs folder. It needs Airflow 3 with the provider `standard`, and for
Dataflow the provider `google`. It does not import Limelight.

- A run's date, `{{ ds }}`, is the start of its data interval: the day before it runs. This needs
  the timetable below: since Airflow 3, with a plain cron string it would be the day of the run.
  Airflow runs missed dates later, one at a time; `airflow backfill create` scores past ones.
- Airflow retries a failed task. That is safe: a rerun gives the same result as a run that was never
  killed, and a date that is complete is skipped.
- Exit code 3 means that a gate tripped. The rows are published, and the task fails without a retry.
  Cloud Run does retry it: every try finds the date complete, skips it, and fails within seconds.
- LIMELIGHT_OPERATOR is `local` or `dataflow`. With `local`, the default, the command runs on the
  machine of the task, and LIMELIGHT_BEAM_OPTIONS can choose any Beam runner. With `dataflow`, the
  Cloud Run job of cloud_scheduler.sh runs the command with LIMELIGHT_BEAM_OPTIONS and waits for the
  Dataflow job.
"""

import datetime
import os
import shlex
import subprocess

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.timetables.interval import CronDataIntervalTimetable

HOME = os.environ.get("LIMELIGHT_HOME", "/opt/limelight")
MODEL = os.environ.get("LIMELIGHT_MODEL", "gs://my-bucket/models/reviews/1")
INPUT = os.environ.get("LIMELIGHT_INPUT", "gs://my-bucket/corpus/{date}/*.jsonl.gz")
OUTPUT = os.environ.get("LIMELIGHT_OUTPUT", "gs://my-bucket/predictions")
BEAM_OPTIONS = os.environ.get("LIMELIGHT_BEAM_OPTIONS", "")
PROJECT = os.environ.get("LIMELIGHT_PROJECT", "my-project")
REGION = os.environ.get("LIMELIGHT_REGION", "us-central1")
JOB = os.environ.get("LIMELIGHT_JOB", "limelight-score")

BAD_USAGE, GATE_TRIPPED = 2, 3


def score_arguments(date: str) -> list[str]:
    """The words after `limelight` on the command line."""
    return [
        *("score", "--model", MODEL, "--input", INPUT, "--output", OUTPUT, "--date", date),
        *("--if-exists", "skip", "--set", "drift.on_drift=alert", "--log-format", "json"),
        *("--", *shlex.split(BEAM_OPTIONS)),
    ]


def run_score(date: str) -> None:
    """Runs the command. After bad usage or a tripped gate there is no retry: it would not help."""
    command = [".venv/bin/python", "-m", "pipeline", *score_arguments(date)]
    done = subprocess.run(command, cwd=HOME, check=False)
    if done.returncode in (BAD_USAGE, GATE_TRIPPED):
        raise AirflowFailException(f"limelight score ended with exit code {done.returncode}")
    if done.returncode:
        raise AirflowException(f"limelight score ended with exit code {done.returncode}")


with DAG(
    dag_id="limelight_score",
    description="Score the day's corpus and publish its predictions",
    schedule=CronDataIntervalTimetable("15 3 * * *", timezone="UTC"),
    start_date=datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    catchup=True,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": datetime.timedelta(minutes=10),
        "retry_exponential_backoff": True,
        "execution_timeout": datetime.timedelta(hours=6),
    },
    tags=["limelight"],
) as dag:
    if os.environ.get("LIMELIGHT_OPERATOR", "local") == "dataflow":
        from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator

        score = CloudRunExecuteJobOperator(
            task_id="score",
            project_id=PROJECT,
            region=REGION,
            job_name=JOB,
            overrides={"container_overrides": [{"args": score_arguments("{{ ds }}")}]},
        )
    else:
        score = PythonOperator(
            task_id="score",
            python_callable=run_score,
            op_kwargs={"date": "{{ ds }}"},
        )
