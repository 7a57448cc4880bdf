"""The config of a command, before anything runs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from model.bundle.errors import BundleError
from model.config import ConfigError
from pipeline.cli import run_config
from pipeline.cli.app import run_command
from pipeline.cli.run_config import scoring_config, with_inputs
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
    [only] = with_inputs(config, [path]).corpus.inputs
    assert (only.path, only.delimiter, only.encoding) == (path, delimiter, encoding)


TRAINED = {
    "columns": {"id": "key", "text": "body", "label": "label", "labels": None, "keep": ["x"]},
    "inputs": [{"path": "a.csv", "format": "csv", "delimiter": ";", "split": "train"}],
}


@pytest.fixture
def _trained(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = SimpleNamespace(manifest={"config": {"corpus": TRAINED}})
    monkeypatch.setattr(run_config, "open_bundle", lambda files, folder: bundle)


@pytest.mark.parametrize(
    "manifest",
    [
        {}, {"config": None}, {"config": []}, {"config": {"corpus": 1}},
        {"config": {"corpus": {"columns": [], "inputs": {}}}},
        {"config": {"corpus": {"columns": {}, "inputs": [1]}}},
    ],
)  # fmt: skip
def test_a_model_whose_manifest_does_not_say_how_it_was_trained_is_scored_with(
    monkeypatch: pytest.MonkeyPatch, manifest: dict[str, object]
) -> None:
    bundle = SimpleNamespace(manifest=manifest)
    monkeypatch.setattr(run_config, "open_bundle", lambda files, folder: bundle)
    config = scoring_config(None, (), model="m", inputs=["x.csv"])
    assert [item.delimiter for item in config.corpus.inputs] == [","]
    assert config.corpus.columns.id is None


@pytest.mark.parametrize(
    "corpus", [{"columns": {"label": 7}}, {"inputs": [{"path": "a.csv", "delimiter": 7}]}]
)
def test_a_manifest_with_values_that_no_config_has_is_named(
    monkeypatch: pytest.MonkeyPatch, corpus: dict[str, object]
) -> None:
    bundle = SimpleNamespace(manifest={"config": {"corpus": corpus}})
    monkeypatch.setattr(run_config, "open_bundle", lambda files, folder: bundle)
    with pytest.raises(BundleError, match=r"^m/manifest\.json: config\.corpus: .*got 7"):
        scoring_config(None, (), model="m", inputs=["x.csv"])


@pytest.mark.usefixtures("_trained")
def test_a_corpus_is_read_as_in_training_where_nothing_else_is_said(tmp_path: Path) -> None:
    config = scoring_config(None, (), model="m", inputs=["x.csv", "y.jsonl"])
    assert [item.path for item in config.corpus.inputs] == ["x.csv", "y.jsonl"]
    assert [item.delimiter for item in config.corpus.inputs] == [";", ","]
    columns = config.corpus.columns
    assert (columns.id, columns.text, columns.keep) == ("key", "body", ())
    path = tmp_path / "c.yaml"
    path.write_text("corpus: {columns: {text: title, id: null}, inputs: [{path: z.csv}]}")
    config = scoring_config(str(path), ("corpus.columns.label=stars",), model="m", inputs=())
    columns = config.corpus.columns
    assert (columns.id, columns.text, columns.label) == (None, "title", "stars")
    [only] = config.corpus.inputs
    assert (only.path, only.delimiter, only.split) == ("z.csv", ";", None)
    path.write_text("corpus: {inputs: [{path: z.csv, format: csv, delimiter: '|'}]}")
    [only] = scoring_config(str(path), (), model="m", inputs=["x.csv"]).corpus.inputs
    assert (only.path, only.delimiter) == ("x.csv", "|")


@pytest.mark.usefixtures("_trained")
@pytest.mark.parametrize(
    ("item", "delimiter", "said"),
    [
        ("{path: z.csv}", ";", "z.csv: read as the model's corpus was, with delimiter: ';'"),
        ("{path: z.csv, split: test}", ";", "read as the model's corpus was"),
        ("{path: part-0}", ";", "part-0: read as the model's corpus was"),
        ("{path: z.csv, format: csv}", ";", "z.csv: read as the model's corpus was, with del"),
        ("{path: z.csv, delimiter: ','}", ",", ""),
        ("{path: z.csv, encoding: latin-1}", ";", "corpus was, with delimiter: ';'\n"),
        ("{path: z.tsv}", "\t", ""),
        ("{path: z.jsonl}", ",", ""),
    ],
)
def test_what_an_input_says_comes_on_top_of_how_the_corpus_was_read_in_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, item: str, delimiter: str, said: str
) -> None:
    caplog.set_level("INFO", logger="limelight")
    path = tmp_path / "c.yaml"
    path.write_text(f"corpus: {{inputs: [{item}]}}")
    of_file = scoring_config(str(path), (), model="m", inputs=()).corpus.inputs
    assert [each.delimiter for each in of_file] == [delimiter]
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)
    override = f"corpus.inputs=[{item}]"
    assert scoring_config(None, (override,), model="m", inputs=()).corpus.inputs == of_file


@pytest.mark.usefixtures("_trained")
def test_settings_of_the_config_that_an_input_does_not_get_are_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="limelight")
    override = "corpus.inputs=[{path: z.jsonl, encoding: latin-1}]"
    config = scoring_config(None, (override,), model="m", inputs=["x.parquet"])
    assert [item.encoding for item in config.corpus.inputs] == ["utf-8"]
    assert (
        "x.parquet: read as parquet with the defaults; the config gives encoding: 'latin-1' for "
        "z.jsonl, which is jsonl" in caplog.text
    )
    caplog.clear()
    override = "corpus.inputs=[{path: a.csv, delimiter: '|'}]"  # a config without `format`
    [only] = scoring_config(None, (override,), model="m", inputs=["x.csv"]).corpus.inputs
    assert (only.path, only.delimiter) == ("x.csv", "|")


def test_a_pattern_without_quotes_is_explained() -> None:
    words = ["score", "--model", "a", "--output", "o", "--input", "a.jsonl", "b.jsonl", "c.jsonl"]
    with pytest.raises(ConfigError, match=r"got 'b.jsonl' and 1 more; the shell .*\. Quote values"):
        run_command(words)


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
