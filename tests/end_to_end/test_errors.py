"""A mistake of the user ends in one clear line and exit code 2, never in a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.commands import PROJECT, run
from tests.json_lines import write_json_lines


def write_config(folder: Path, rows: list[dict] | None, **sections: object) -> Path:
    """Writes a config, and the corpus that it names if there are rows."""
    corpus = folder / "corpus.jsonl"
    if rows is not None:
        write_json_lines(corpus, rows)
    config = folder / "config.yaml"
    values = {
        "workspace": str(folder / "runs"),
        "corpus": {"inputs": [{"path": str(corpus)}]},
        **sections,
    }
    config.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    return config


ROWS = [{"text": f"text number {row}", "label": "ab"[row % 2]} for row in range(40)]


def test_the_error_of_an_unknown_config_key_names_the_nearest_key(tmp_path):
    config = write_config(tmp_path, ROWS, training={"epoch": 3})
    finished = run("train", "--config", config)
    assert finished.code == 2
    assert "training.epoch: unknown key (did you mean training.epochs?)" in finished.error_line
    assert str(config) in finished.error_line


def test_a_value_out_of_range_says_what_is_expected(tmp_path):
    finished = run("train", "--config", write_config(tmp_path, ROWS), "--set", "training.epochs=0")
    assert finished.code == 2
    assert "training.epochs: expected an integer >= 1 or 'auto', got 0" in finished.error_line


def test_a_missing_input_is_named(tmp_path):
    finished = run("prepare", "--config", write_config(tmp_path, None))
    assert finished.code == 2
    assert "expected files that match" in finished.error_line
    assert "corpus.jsonl" in finished.error_line


def test_a_missing_config_file(tmp_path):
    finished = run("prepare", "--config", tmp_path / "nothing.yaml")
    assert finished.code == 2
    assert "nothing.yaml: expected a readable config file" in finished.error_line


def test_a_config_key_given_twice(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("training: {epochs: 3}\ntraining: {seeds: [1]}\n")
    finished = run("prepare", "--config", config)
    assert finished.code == 2
    assert f"{config}, line 2: expected each key once, got 'training'" in finished.error_line


def test_an_unset_environment_variable(tmp_path):
    config = write_config(tmp_path, ROWS, workspace="${LIMELIGHT_TEST_UNSET}/runs")
    finished = run("prepare", "--config", config)
    assert finished.code == 2
    assert "LIMELIGHT_TEST_UNSET to be set" in finished.error_line


@pytest.mark.parametrize("made", [False, True])
def test_an_unreadable_model_directory(tmp_path, made):
    model = tmp_path / "model"
    if made:
        model.mkdir()
        (model / "manifest.json").write_text("{}")
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "a"}\n')
    finished = run("score", "--model", model, "--input", corpus, "--output", tmp_path / "out")
    assert finished.code == 2
    assert "manifest.json: expected" in finished.error_line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rows", [[], [{"other": "column"}]])
def test_an_empty_corpus(tmp_path, rows):
    finished = run("prepare", "--config", write_config(tmp_path, rows))
    assert finished.code == 2
    assert "expected documents in the training split, got none" in finished.error_line


def test_a_corpus_of_one_class(tmp_path):
    rows = [{**row, "label": "only"} for row in ROWS]
    finished = run("prepare", "--config", write_config(tmp_path, rows))
    assert finished.code == 2
    assert (
        "expected at least 2 labels in the training split, got only 'only'" in finished.error_line
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "unknown command trian, did you mean train?"),
        ([], "limelight: expected a command (demo, prepare, train"),
        (["train"], "expected --config FILE, got none"),
        (["train", "--confg", "x"], "did you mean --config?"),
        (["train", "--config", "x", "--sett", "a=1"], "did you mean --set?"),
        (["train", "--config", "x", "--runner=Flink"], "flags for Beam go after --"),
        (
            ["score", "--model", "m", "--output", "o", "--date", "tomorrow"],
            "a date YYYY-MM-DD, today or",
        ),
    ],
)
def test_wrong_usage(arguments, expected):
    finished = run(*arguments)
    assert finished.code == 2
    assert expected in finished.error_line


def test_help_has_an_example():
    for command in ("demo", "prepare", "train", "score", "evaluate", "explain", "report"):
        finished = run(command, "--help")
        assert finished.code == 0
        assert f"example: limelight {command}" in " ".join(finished.out.split())


def test_a_process_runs_its_exit_functions_and_keeps_the_exit_code(tmp_path):
    script = f"""
import atexit, sys
from pipeline.__main__ import main
atexit.register(print, "put in order")
sys.argv = ["limelight", "train", "--config", {str(tmp_path / "missing.yaml")!r}]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "put in order\n")
