"""The config of a command, before anything runs."""

import pytest

from model.config import ConfigError
from pipeline.cli.app import run_command
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


@pytest.mark.parametrize(
    "command",
    [
        ("score", "--model", "m", "--output", "o", "--input", "x.jsonl"),
        ("evaluate", "--model", "m", "--input", "x.jsonl"),
        ("compare", "--old", "a", "--new", "b", "--output", "o", "--input", "x.jsonl"),
        ("explain", "--model", "m", "a text"),
    ],
)
@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("text.max_tokens=3", "got one of text, which is the model's own since its training"),
        ("network.lstm.units=7", "got one of network, which is the model's own"),
        ("training={epochs: 3}", "got one of training, which is the model's own"),
        ("corpus.limit=3", "got corpus.limit, which only prepare and train use"),
        ("corpus.splits.test=0.2", "got corpus.splits.test, which only prepare and train use"),
    ],
)
def test_a_key_that_scoring_does_not_use_is_refused(
    command: tuple[str, ...], override: str, said: str
) -> None:
    words = [*command[:1], "--set", override, *command[1:]]
    with pytest.raises(ConfigError) as raised:
        run_command(words)
    assert str(raised.value).startswith(f"--set {override}: expected a key ")
    assert said in str(raised.value)
