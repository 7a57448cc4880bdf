"""The command line's grammar: ours before `--`, Beam's after it."""

import argparse
import datetime
import difflib
from collections.abc import Sequence
from typing import NoReturn

from model.config import ConfigError

DAYS_AGO = {"today": 0, "yesterday": 1}  # dates that a schedule can name, the same every night

EPILOG = "Flags after -- are Beam's, such as: -- --runner=FlinkRunner --flink_master=host:8081"


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line with the nearest valid name."""

    def error(self, message: str) -> NoReturn:
        """Raises `ConfigError` in place of printing the usage."""
        raise ConfigError(f"{self.prog}: {message}. Run {self.prog} --help.")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Parts the command line.

    Returns:
        `(ours, beam_options)`: the parsed flags before `--` and the words after it.

    Raises:
        ConfigError: for an unknown command or flag, naming the nearest valid one.
    """
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    words, beam_options = words[:at], words[at + 1 :]
    parser, commands = _build()
    known, unknown = parser.parse_known_args(words)
    if unknown:
        flags = [
            flag for action in commands[known.command]._actions for flag in action.option_strings
        ]
        close = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1, cutoff=0.7)
        hint = f"did you mean {close[0]}?" if close else "flags for Beam go after --."
        raise ConfigError(
            f"limelight {known.command}: unknown argument {unknown[0]}, {hint} "
            f"Run limelight {known.command} --help."
        )
    return known, beam_options


def _build() -> tuple[Parser, dict[str, argparse.ArgumentParser]]:
    parser = Parser(
        prog="limelight",
        description="Trains Bi-LSTM-with-attention text classifiers and runs them over corpora.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str, example: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = subparsers.add_parser(
            name,
            help=help_text,
            description=help_text,
            epilog=f"example: limelight {example}    {EPILOG}",
            allow_abbrev=False,
        )
        added.add_argument(
            "--verbose", action="store_true", help="show tracebacks and the libraries' own logs"
        )
        added.add_argument(
            "--log-format",
            choices=("text", "json"),
            default="text",
            help="json: one JSON object an event on standard error, the last one says it all",
        )
        return added

    demo = command("demo", "run the whole job on a generated corpus", "demo --output demo")
    demo.add_argument("--output", required=True, metavar="DIR", help="workspace and output in one")

    for name, help_text in (
        ("prepare", "corpora into vocabulary and padded TFRecords"),
        ("train", "prepare, train on workers, publish the best model"),
    ):
        added = command(name, help_text, f"{name} --config configs/guide_attention_2d.yaml")
        _add_config(added, required=True)
        _add_dry_run(added)

    vectors = command(
        "vectors",
        "learn word vectors from the text of a corpus, labeled or not",
        "vectors --config configs/imdb_best.yaml --input 'imdb/un*.jsonl.gz' --output v.txt",
    )
    _add_input(vectors)
    vectors.add_argument(
        "--output", required=True, metavar="FILE", help="in word2vec's text format"
    )
    _add_config(vectors, required=True)

    score = command(
        "score",
        "score corpora and publish the predictions of a date",
        "score --model runs/models/demo/1 --input 'corpus/*.jsonl' --output out",
    )
    _add_model_and_input(score)
    score.add_argument("--output", required=True, metavar="DIR", help="where predictions go")
    dates = score.add_mutually_exclusive_group()
    dates.add_argument(
        "--date",
        type=_date,
        metavar="YYYY-MM-DD",
        help="partition, and what {date} in the inputs stands for; yesterday and today, the "
        "default, are those of UTC",
    )
    dates.add_argument(
        "--dates",
        type=_dates,
        metavar="A..B",
        help="every date from A to B, one after another; one that fails costs itself, exit 1",
    )
    score.add_argument(
        "--if-exists",
        choices=("replace", "skip", "fail"),
        default="replace",
        help="what to do where the date's partition is complete; default: replace",
    )
    score.add_argument(
        "--reuse-from",
        type=_earlier_date,
        metavar="DATE",
        help="take the rows of unchanged documents from an earlier date, or from: previous",
    )
    _add_config(score, required=False)
    _add_dry_run(score)

    runs = command("runs", "list the scoring runs of an output, newest first", "runs --output out")
    runs.add_argument("--output", required=True, metavar="DIR", help="where predictions go")

    compare = command(
        "compare",
        "score one corpus with two models and say what would change",
        "compare --old runs/models/demo/1 --new runs/models/demo/2 --input 'corpus/*.jsonl' "
        "--output comparison --max-churn 0.05",
    )
    compare.add_argument("--old", required=True, metavar="DIR", help="the model in service")
    compare.add_argument("--new", required=True, metavar="DIR", help="the model to promote")
    _add_input(compare)
    compare.add_argument("--output", required=True, metavar="DIR", help="flips and report")
    compare.add_argument(
        "--max-churn", type=_share, metavar="SHARE", help="exit 3 if more documents flip"
    )
    compare.add_argument(
        "--min-accuracy-gain",
        type=float,
        metavar="GAIN",
        help="exit 3 if the new model's accuracy gains less, such as 0.01; may be negative",
    )
    _add_config(compare, required=False)

    evaluate = command(
        "evaluate",
        "score a labeled corpus and print the metrics",
        "evaluate --model runs/models/demo/1 --input test.jsonl",
    )
    _add_model_and_input(evaluate)
    evaluate.add_argument("--output", metavar="FILE", help="also write the metrics as JSON")
    _add_config(evaluate, required=False)

    explain = command(
        "explain",
        "show which tokens a prediction attended to",
        'explain --model runs/models/demo/1 "a sentence"',
    )
    explain.add_argument("--model", required=True, metavar="DIR", help="a model version's folder")
    explain.add_argument("text", nargs="+", help="the texts")

    report = command(
        "report",
        "write the report page of a model or of a scoring run again",
        "report --model runs/models/demo/1 --to report.html",
    )
    report.add_argument("--model", required=True, metavar="DIR", help="a model version's folder")
    report.add_argument("--to", required=True, metavar="FILE", help="where the page goes")
    return parser, dict(subparsers.choices)


def _add_config(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--config", required=required, metavar="FILE", help="a YAML config")
    parser.add_argument(
        "--runner-profile",
        metavar="NAME",
        help="flags for Beam and config keys from configs/runners/NAME.yaml; those of the "
        "command line come on top",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a config key, such as training.epochs=3; may be repeated",
    )


def _add_model_and_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="DIR", help="a model version's folder")
    _add_input(parser)


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", metavar="GLOB", help="files; overrides the config's inputs")


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved config, the matched files and what would be written",
    )


def _date(value: str) -> str:
    if value in DAYS_AGO:
        today = datetime.datetime.now(datetime.UTC).date()
        return (today - datetime.timedelta(days=DAYS_AGO[value])).isoformat()
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a date YYYY-MM-DD, today or yesterday, got {value!r}"
        ) from None


def _dates(value: str) -> list[str]:
    first, dots, last = value.partition("..")
    if not dots:
        raise argparse.ArgumentTypeError(f"expected dates YYYY-MM-DD..YYYY-MM-DD, got {value!r}")
    begin, end = (datetime.date.fromisoformat(_date(date)) for date in (first, last))
    if begin > end:
        raise argparse.ArgumentTypeError(f"expected the earlier date first, got {value!r}")
    days = (end - begin).days + 1
    return [(begin + datetime.timedelta(days=day)).isoformat() for day in range(days)]


def _earlier_date(value: str) -> str:
    return value if value == "previous" else _date(value)


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, got {value!r}")
    return share
