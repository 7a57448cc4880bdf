"""The command line: what every command takes, and what every mistake says."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.cli.app import COMMANDS, parse_command, run_command

PROJECT = Path(__file__).resolve().parents[3]

# The least that each command takes.
TEXT_HINT = "put a space before a text that begins with a hyphen: ' -...'."

LEAST: dict[str, list[str]] = {
    "demo": ["--output", "O"],
    "prepare": ["--config", "C"],
    "train": ["--config", "C"],
    "self-train": ["--config", "C"],
    "vectors": ["--config", "C", "--output", "V"],
    "pretrain": ["--config", "C", "--output", "E"],
    "score": ["--model", "M", "--output", "O"],
    "runs": ["--output", "O"],
    "compare": ["--old", "A", "--new", "B", "--output", "O"],
    "evaluate": ["--model", "M"],
    "explain": ["--model", "M", "a text"],
    "report": ["--model", "M", "--to", "P"],
}
WITH_CONFIG = (
    "prepare",
    "train",
    "self-train",
    "vectors",
    "pretrain",
    "score",
    "compare",
    "evaluate",
)


def refused(*words: str) -> str:
    with pytest.raises(ConfigError) as raised:
        run_command(words)
    message = str(raised.value)
    assert "\n" not in message
    return message


def refused_by(command: str, *words: str) -> str:
    """What the command says of the words after those that it needs, without its help's name."""
    message = refused(command, *LEAST[command], *words)
    begin, end = f"limelight {command}: ", f" Run limelight {command} --help."
    assert message.startswith(begin)
    assert message.endswith(end)
    return message.removeprefix(begin).removesuffix(end)


def test_every_command_is_in_the_table() -> None:
    assert [function.__name__.replace("_", "-") for function, _ in COMMANDS] == list(LEAST)


@pytest.mark.parametrize("command", LEAST)
def test_the_defaults(command: str) -> None:
    common = {"verbose": False, "log_format": "text"}
    config = {"runner_profile": None, "overrides": [], "config": None}
    expected: dict[str, Any] = {
        "demo": {"output": "O"},
        "prepare": {**config, "config": "C", "dry_run": False},
        "train": {**config, "config": "C", "dry_run": False},
        "self-train": {**config, "config": "C"},
        "vectors": {**config, "config": "C", "output": "V", "input": []},
        "pretrain": {**config, "config": "C", "output": "E", "dry_run": False},
        "score": {
            **config,
            "model": "M",
            "input": [],
            "output": "O",
            "date": None,
            "dates": None,
            "if_exists": "replace",
            "reuse_from": None,
            "dry_run": False,
        },
        "runs": {"output": "O"},
        "compare": {
            **config,
            "old": "A",
            "new": "B",
            "input": [],
            "output": "O",
            "max_churn": None,
            "min_accuracy_gain": None,
        },
        "evaluate": {**config, "model": "M", "input": [], "output": None},
        "explain": {"model": "M", "texts": ["a text"], "config": None, "overrides": []},
        "report": {"model": "M", "to": "P"},
    }
    assert parse_command([command, *LEAST[command]]) == {**expected[command], **common}


@pytest.mark.parametrize("command", LEAST)
@pytest.mark.parametrize("name", ["-h", "--help"])
def test_help_has_an_example_and_fits_a_terminal(
    command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([command, name, "--unknown"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"Usage: limelight {command} ")
    assert f"example: limelight {command} " in printed.out
    assert "Beam's" in printed.out
    assert "\x1b" not in printed.out
    assert max(map(len, printed.out.splitlines())) <= 80
    assert printed.err == ""


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Usage: limelight ")
    listed = [line.split()[0] for line in printed.partition("Commands:")[2].splitlines() if line]
    assert listed[: len(LEAST)] == list(LEAST)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("limelight 0")


@pytest.mark.parametrize("command", LEAST)
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--unknown"], "unknown argument --unknown, flags for Beam go after --."),
        (["--unknown=3"], "unknown argument --unknown=3, flags for Beam go after --."),
        (["--runner=Flink"], "unknown argument --runner=Flink, flags for Beam go after --."),
        (["--verbos"], "unknown argument --verbos, did you mean --verbose?"),
        (["--log-form=json"], "unknown argument --log-form=json, did you mean --log-format?"),
        (["--verbose=1"], "--verbose: expected no value, got --verbose=1."),
        (["--log-format"], "--log-format: expected a value, got none."),
        (["--log-format", "--verbose"], "--log-format: expected a value, got --verbose."),
        (["--log-format", "xml"], "--log-format: expected one of 'text', 'json', got 'xml'."),
    ],
)
def test_mistakes_that_any_command_refuses(command: str, words: list[str], problem: str) -> None:
    if command == "explain" and words[0].startswith("--unknown"):  # it may be a text
        problem = problem.replace("flags for Beam go after --.", TEXT_HINT)
    assert refused_by(command, *words) == problem


def test_a_wrong_choice_names_the_nearest() -> None:
    problem = refused_by("score", "--if-exists", "skp")
    assert problem.endswith("got 'skp' (did you mean 'skip'?).")


@pytest.mark.parametrize(
    ("command", "word", "hint"),
    [
        ("train", "-c", "this command has no such option."),
        ("runs", "--dry-run", "this command has no such option."),
        ("runs", "--set=a=1", "this command has no such option."),
        ("runs", "--direct_num_workers=2", "flags for Beam go after --."),
        ("explain", "-good", TEXT_HINT),
        ("explain", "-x=3 is", TEXT_HINT),
        ("explain", "--great-service", TEXT_HINT),
        ("explain", "--dry-run", "this command has no such option."),
    ],
)
def test_the_hint_fits_the_unknown_word(command: str, word: str, hint: str) -> None:
    assert refused_by(command, word) == f"unknown argument {word}, {hint}"


def test_a_text_that_begins_with_a_hyphen_can_be_given_after_a_space() -> None:
    assert parse_command(["explain", "--model", "m", " -good"])["texts"] == [" -good"]


@pytest.mark.parametrize("word", ["--version", "--install-completion", "--show-completion"])
def test_options_of_limelight_itself_stand_alone(word: str) -> None:
    expected = f"limelight: {word}: expected no other word beside it, got 'bsh'."
    assert refused(word, "bsh").startswith(expected)


def test_no_summary_in_the_list_of_commands_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["--help"])
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


@pytest.mark.parametrize("command", [command for command in LEAST if command != "explain"])
def test_a_word_too_many(command: str) -> None:
    expected = "expected an option, got 'stray'. Quote values with a space or *."
    assert refused_by(command, "stray") == expected


@pytest.mark.parametrize("command", LEAST)
def test_what_a_command_needs_is_named_in_one_line(command: str) -> None:
    needed = [f"{word} " for word in LEAST[command] if word.startswith("--")]
    needed += ["TEXT"] if command == "explain" else []
    if command in ("prepare", "train", "self-train", "vectors", "pretrain"):
        needed += ["--config FILE"]
    message = refused(command)
    assert all(name in message for name in needed)
    assert message.startswith(f"limelight {command}: expected --")
    assert message.endswith(f", got none. Run limelight {command} --help.")


@pytest.mark.parametrize("command", LEAST)
def test_an_option_that_is_needed_and_mistyped_names_the_nearest(command: str) -> None:
    first, *rest = LEAST[command]
    assert f"unknown argument {first}x, did you mean {first}?" in refused(
        command, f"{first}x", *rest
    )


@pytest.mark.parametrize("command", LEAST)
def test_values_after_a_space_or_an_equals_sign_and_the_last_of_two(command: str) -> None:
    first, value, *rest = LEAST[command]
    given = parse_command([command, first, value, *rest])
    assert parse_command([command, f"{first}={value}", *rest]) == given
    twice = parse_command([command, first, "first", *rest, f"{first}={value}"])
    assert twice == given


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "limelight: expected a command (demo, prepare, train, self-train, vectors, "),
        (["--"], "limelight: expected a command ("),
        (["--", "--runner=FlinkRunner"], "limelight: expected a command ("),
        (["trian"], "limelight: unknown command trian, did you mean train? Run limelight --help."),
        (["xyz"], "limelight: unknown command xyz, known are: demo, prepare, train, "),
        (["--verson"], "limelight: unknown option --verson, did you mean --version?"),
        (["--verbose", "train"], "limelight: unknown option --verbose, write options after"),
        (["--log-format=json"], "limelight: unknown option --log-format=json, write option"),
    ],
)
def test_mistakes_before_a_command(words: list[str], problem: str) -> None:
    assert refused(*words).startswith(problem)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--date", "tomorrow"], "--date: expected a date YYYY-MM-DD, today or yesterday, got"),
        (["--date=2026-02-30"], "--date: expected a date YYYY-MM-DD, today or yesterday, got"),
        (["--date", ""], "--date: expected a date YYYY-MM-DD, today or yesterday, got ''."),
        (["--date", "-1"], "--date: expected a date YYYY-MM-DD, today or yesterday, got '-1'."),
        (["--dates", "2026-11-21"], "--dates: expected dates YYYY-MM-DD..YYYY-MM-DD, got"),
        (["--dates", "today..yesterday"], "--dates: expected the earlier date first, got"),
        (["--dates", "x..today"], "--dates: expected a date YYYY-MM-DD, today or yesterday, got"),
        (
            ["--if-exists", "append"],
            "--if-exists: expected one of 'replace', 'skip', 'fail', got 'appe",
        ),
        (["--reuse-from", "never"], "--reuse-from: expected previous, a date YYYY-MM-DD, today "),
    ],
)
def test_wrong_values_of_score(words: list[str], problem: str) -> None:
    assert refused_by("score", *words).startswith(problem)


def test_a_date_and_dates_exclude_each_other() -> None:
    words = ["--date", "2026-11-20", "--dates", "2026-11-20..2026-11-21"]
    message = refused("score", *LEAST["score"], *words)
    assert message == "limelight score: --dates: not allowed with --date. Leave one out."


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--max-churn", "2"], "--max-churn: expected a share from 0 to 1, got '2'."),
        (["--max-churn", "-0.5"], "--max-churn: expected a share from 0 to 1, got '-0.5'."),
        (["--max-churn", "nan"], "--max-churn: expected a share from 0 to 1, got 'nan'."),
        (["--max-churn", "x"], "--max-churn: expected a share from 0 to 1, got 'x'."),
        (["--min-accuracy-gain", "x"], "--min-accuracy-gain: expected a number, got 'x'."),
    ],
)
def test_wrong_values_of_compare(words: list[str], problem: str) -> None:
    assert refused_by("compare", *words) == problem


@pytest.mark.parametrize("words", [["--min-accuracy-gain", "-0.01"], ["--min-accuracy-gain=-0.01"]])
def test_a_gain_may_be_negative(words: list[str]) -> None:
    assert parse_command(["compare", *LEAST["compare"], *words])["min_accuracy_gain"] == -0.01


@pytest.mark.parametrize("text", ["", "-", "-1", "-1.5", "-1 is less", "- good", "--a b", "-x y"])
def test_a_text_or_a_value_may_begin_with_a_hyphen(text: str) -> None:
    assert parse_command(["explain", "--model", "M", text])["texts"] == [text]
    assert parse_command(["explain", text, "--model", "M", "b"])["texts"] == [text, "b"]
    assert parse_command(["train", "--config", text])["config"] == text


@pytest.mark.parametrize("word", ["-x", "--verbose", "--unknown"])
def test_a_value_that_looks_like_an_option_needs_an_equals_sign(word: str) -> None:
    assert refused("train", "--config", word).startswith(
        f"limelight train: --config: expected a value, got {word}."
    )
    assert parse_command(["train", f"--config={word}"])["config"] == word


@pytest.mark.parametrize("command", WITH_CONFIG)
def test_overrides_may_be_repeated(command: str) -> None:
    words = ["--set", "a=1", "--set=b=-2", "--set", "-1"]
    assert parse_command([command, *LEAST[command], *words])["overrides"] == ["a=1", "b=-2", "-1"]


@pytest.mark.parametrize("command", WITH_CONFIG)
def test_the_flags_of_a_profile_come_before_those_of_the_command_line(
    command: str, tmp_path: Path
) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("beam: {runner: DaskRunner}")
    config = tmp_path / "config.yaml"
    config.write_text("corpus: {inputs: [{path: x.jsonl}]}")
    words = [str(config) if word == "C" else word for word in LEAST[command]]
    words += ["--runner-profile", str(profile)]
    assert refused(command, *words).startswith("--runner=DaskRunner: ")
    assert refused(command, *words, "--", "--runner=Flnk").startswith("--runner=Flnk: ")


@pytest.mark.parametrize(
    "words", [["trian", "--log-format=json"], ["score", "--log-format", "json"]]
)
def test_an_error_of_the_command_line_is_a_json_line_too(words: Sequence[str]) -> None:
    done = run_python("-m", "pipeline", *words)
    error, last = (json.loads(line) for line in done.stderr.splitlines())
    assert done.returncode == 2
    assert (error["level"], error["event"][:7]) == ("error", "error: ")
    assert (last["exit_code"], last["last"]) == (2, True)


def test_help_imports_neither_beam_nor_tensorflow_nor_rich() -> None:
    heavy = ("apache_beam", "tensorflow", "keras", "rich", "pyarrow", "numba")
    done = run_python(
        "-c",
        "import sys\n"
        "from pipeline.cli.entry import run\n"
        "assert run(['score', '--help']) == 0\n"
        f"print([name for name in {heavy!r} if name in sys.modules])",
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_options_and_values(shell: str) -> None:
    # The variables that the scripts of --show-completion set.
    for line, expected in (
        ("limelight sc", "score"),
        ("limelight score --if", "--if-exists"),
        ("limelight score --if-exists s", "skip"),
    ):
        words = line.split(" ")
        done = run_python(
            "-m",
            "pipeline",
            _LIMELIGHT_COMPLETE=f"complete_{shell}",
            COMP_WORDS=line,
            COMP_CWORD=str(len(words) - 1),
            _TYPER_COMPLETE_ARGS=line,
            _TYPER_COMPLETE_FISH_ACTION="get-args",
        )
        assert expected in done.stdout


def run_python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
