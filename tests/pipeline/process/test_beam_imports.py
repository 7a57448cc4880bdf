import subprocess
import sys

import pytest

from pipeline.process.beam_imports import OPTIONAL, names_runner


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["score", "--model", "m"], False),
        (["score", "--", "--runner=FlinkRunner"], True),
        (["score", "--runner-profile", "flink"], True),
        (["score", "--runner-profile=flink"], True),
        (["explain", "--model", "m", "--runner-profiles are a text"], False),
    ],
)
def test_a_runner_is_named_by_flags_or_a_profile(arguments: list[str], named: bool) -> None:
    assert names_runner(arguments) is named


def run_python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_beam_is_whole_but_for_its_optional_libraries() -> None:
    run_python(f"""
import sys
from pipeline.process.beam_imports import import_beam
import_beam()
import pipeline.cli.app, pipeline.cli.run_config, pipeline.stages.score
assert not set({OPTIONAL!r}) & set(sys.modules), set({OPTIONAL!r}) & set(sys.modules)
import apache_beam as beam
with beam.Pipeline() as root:
    root | beam.Create([1, 2]) | beam.Map(lambda each: each + 1) | beam.CombineGlobally(sum)
""")


def test_object_storage_is_there_as_soon_as_a_path_names_it() -> None:
    run_python("""
from unittest import mock
from pipeline.process.beam_imports import import_beam
import_beam()
from apache_beam.io.filesystems import FileSystems
from pipeline.storage.beam_files import BeamFiles
try:
    FileSystems.get_filesystem("gs://bucket/object")
    raise SystemExit("expected no such filesystem yet")
except ValueError:
    pass
# Without credentials and a network, that the storage is asked is all there is to see here.
login = "apache_beam.internal.gcp.auth.get_service_credentials"
with mock.patch(login, side_effect=PermissionError("none here")) as asked:
    try:
        BeamFiles().match("gs://bucket/object")
    except OSError:
        pass
assert asked.called
assert FileSystems.get_filesystem("gs://bucket/object").scheme() == "gs"
""")


def test_tables_are_read_with_the_connector_that_a_start_leaves_out() -> None:
    run_python("""
from pipeline.process.beam_imports import import_beam
import_beam()
from pipeline.transforms.read_table import ReadTable
from apache_beam.io.gcp.bigquery import ReadFromBigQuery
import apache_beam.io.gcp.bigquery_tools as tools
assert tools.BigQueryWrapper and ReadTable and ReadFromBigQuery
""")
