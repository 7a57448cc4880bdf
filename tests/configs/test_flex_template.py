"""The Flex Template: its metadata, its parameters, and the commands that make it."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.cloud.dataflow_v1beta3 import ContainerSpec, TemplateMetadata
from google.protobuf import json_format

from model.config import ConfigError
from pipeline.cli.app import parse_command
from pipeline.cli.flex_template import PARAMETERS, command_line

FOLDER = Path(__file__).resolve().parents[2] / "configs/dataflow"
METADATA = json.loads((FOLDER / "metadata.json").read_text(encoding="utf-8"))
SPEC = json.loads((FOLDER / "spec.json").read_text(encoding="utf-8"))

GIVEN = {
    "model": "gs://bucket/models/reviews/1",
    "input": "gs://bucket/corpus/{date}/*.jsonl.gz",
    "output": "gs://bucket/out",
    "date": "2026-11-20",
    "if_exists": "skip",
    "reuse_from": "previous",
}


def words(**parameters: str) -> list[str]:
    return [f"--{name}={value}" for name, value in parameters.items()]


def regex_of(name: str) -> str:
    [parameter] = [each for each in METADATA["parameters"] if each["name"] == name]
    [regex] = parameter["regexes"]
    return str(regex)


def test_metadata_and_spec_have_no_field_that_dataflow_does_not_know() -> None:
    json_format.ParseDict(METADATA, TemplateMetadata.pb(TemplateMetadata()))
    spec = ContainerSpec.pb(ContainerSpec())
    json_format.ParseDict(SPEC, spec)
    assert spec.default_environment.max_workers == 1
    assert SPEC["metadata"] == METADATA
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(
            {**METADATA, "parameter": []}, TemplateMetadata.pb(TemplateMetadata())
        )


def test_every_parameter_is_described() -> None:
    for parameter in METADATA["parameters"]:
        for field in ("label", "helpText", "paramType", "regexes"):
            assert parameter[field], parameter["name"]
    needed = [each["name"] for each in METADATA["parameters"] if not each["isOptional"]]
    assert needed == ["model", "input", "output"]


def test_the_parameters_are_flags_of_score() -> None:
    assert tuple(each["name"] for each in METADATA["parameters"]) == PARAMETERS
    command, beam_options = command_line([*words(**GIVEN), "--runner=DataflowRunner"])
    options = parse_command(command)
    assert {name: options[name] for name in PARAMETERS} == {**GIVEN, "input": [GIVEN["input"]]}
    assert beam_options == ["--runner=DataflowRunner"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("model", "runs/models/demo/1"),
        ("input", "gs://bucket/a,gs://bucket/b"),
        ("output", "s3://bucket/out"),
        ("date", "20 November"),
        ("if_exists", "append"),
        ("reuse_from", "yesterday"),
    ],
)
def test_the_regex_of_a_parameter(name: str, wrong: str) -> None:
    assert re.fullmatch(regex_of(name), GIVEN[name])
    assert not re.fullmatch(regex_of(name), wrong)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "runs/1"}, "parameter model: expected a path in gs://, got 'runs/1'"),
        ({"output": ""}, "parameter output: expected a path in gs://, got None"),
        ({"date": "2026-02-30"}, "got '2026-02-30'"),
        ({"if_exists": "append"}, "expected one of 'replace', 'skip', 'fail', got 'append'"),
    ],
)
def test_a_launch_that_score_would_refuse(changed: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        command_line(words(**{**GIVEN, **changed}))


def test_the_date_of_a_launch_is_fixed_before_it_runs() -> None:
    command, _ = command_line(words(**{name: GIVEN[name] for name in ("model", "input", "output")}))
    assert re.fullmatch(r"--date=\d{4}-\d{2}-\d{2}", command[-1])


def printed_commands(**environment: str) -> list[list[str]]:
    script = ["/bin/sh", str(FOLDER / "template.sh")]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
    text = done.stdout.replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line]


def test_make_template_prints_the_commands() -> None:
    place: dict[str, Any] = {"PROJECT": "acme-nlp", "REGION": "europe-west4", "BUCKET": "acme"}
    build, push, template, run = printed_commands(**place)
    image = push[-1]
    assert image == "europe-west4-docker.pkg.dev/acme-nlp/limelight/template:0.1.0"
    assert f"IMAGE={image}" in build
    assert template[:4] == ["gcloud", "dataflow", "flex-template", "build"]
    assert f"--image={image}" in template
    assert "--project=acme-nlp" in template
    [metadata] = [word for word in template if word.startswith("--metadata-file=")]
    assert (FOLDER.parents[1] / metadata.split("=")[1]).samefile(FOLDER / "metadata.json")
    assert run[:4] == ["gcloud", "dataflow", "flex-template", "run"]
    [stored] = [word.split("=")[1] for word in run if "--template-file" in word]
    assert stored == template[4]
    [parameters] = [word.split("=", 1)[1] for word in run if word.startswith("--parameters=")]
    for name, value in (pair.split("=") for pair in parameters.split(",")):
        assert re.fullmatch(regex_of(name), value), name
