"""The config of a command, before anything runs."""

import pytest

from pipeline.cli.run_config import with_input
from pipeline.config.loading import build_config


@pytest.mark.parametrize(
    ("path", "delimiter", "encoding"),
    [("x.csv", ";", "latin-1"), ("x.csv.gz", ";", "latin-1"), ("x.tsv", "\t", "utf-8")],
)
def test_a_file_on_the_command_line_is_read_like_the_input_of_its_format_in_the_config(
    path: str, delimiter: str, encoding: str
) -> None:
    item = {"path": "a.csv", "format": "csv", "delimiter": ";", "encoding": "latin-1"}
    config = build_config({"corpus": {"inputs": [item]}}, (), where="c.yaml")
    [only] = with_input(config, path).corpus.inputs
    assert (only.path, only.delimiter, only.encoding) == (path, delimiter, encoding)
