"""`limelight`: the table of its commands, and how one is run."""

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from pipeline.cli.compare import compare
from pipeline.cli.demo import demo
from pipeline.cli.evaluate import evaluate
from pipeline.cli.exit_codes import DONE
from pipeline.cli.explain import explain
from pipeline.cli.grammar import Command, Group
from pipeline.cli.invocation import Invocation, split_beam_options
from pipeline.cli.options import LogFormat, Verbose
from pipeline.cli.prepare import prepare
from pipeline.cli.report import report
from pipeline.cli.runs import runs
from pipeline.cli.score import score
from pipeline.cli.train import self_train, train
from pipeline.cli.unlabeled import pretrain, vectors

NAME = "limelight"
COMPLETION = f"_{NAME.upper()}_COMPLETE"  # set by the shell that asks for completions

# In a help text, a paragraph that begins with \b keeps its lines.
BEAM_FLAGS = "\b\nFlags after -- are Beam's, such as: -- --runner=FlinkRunner"

# Every command with an example of its use; help lists them in this order.
COMMANDS = (
    (demo, "--output demo"),
    (prepare, "--config configs/guide_attention_2d.yaml"),
    (train, "--config configs/guide_attention_2d.yaml \\\n  --set training.epochs=3"),
    (self_train, "--config configs/imdb_few.yaml \\\n  --set training.seeds=[1,2,3]"),
    (vectors, "--config configs/imdb_best.yaml \\\n  --input 'imdb/un*.jsonl.gz' --output v.txt"),
    (pretrain, "--config configs/imdb_best.yaml --output encoder"),
    (score, "--model runs/models/demo/1 \\\n  --input 'corpus/*.jsonl' --output out"),
    (runs, "--output out"),
    (
        compare,
        "--old runs/models/demo/1 --new runs/models/demo/2 \\\n"
        "  --input 'corpus/*.jsonl' --output comparison --max-churn 0.05",
    ),
    (evaluate, "--model runs/models/demo/1 --input test.jsonl"),
    (explain, '--model runs/models/demo/1 "a sentence"'),
    (report, "--model runs/models/demo/1 --to report.html"),
)

app = typer.Typer(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # plain help, which a pipe and 80 columns can hold
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from pipeline.storage.versions import code_version

        print(NAME, code_version())
        raise typer.Exit


@app.callback(epilog=BEAM_FLAGS)
def limelight(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version."),
    ] = False,
) -> None:
    """Train Bi-LSTM-with-attention text classifiers and run them over corpora."""


def _as_command(function: Callable[..., int]) -> Callable[..., int]:
    """What Typer calls: adds the options that all commands have and gives the invocation.

    `pipeline.cli.entry` looks for `--verbose` and `--log-format` before anything is parsed.
    """
    signature = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        inspect.Parameter("verbose", keyword, annotation=Verbose, default=False),
        inspect.Parameter("log_format", keyword, annotation=LogFormat, default="text"),
    ]
    own = [each for each in signature.parameters.values() if each.name != "invocation"]

    @functools.wraps(function)
    def run(*, context: typer.Context, verbose: bool, log_format: str, **values: Any) -> int:
        from pipeline.process.beam_imports import import_beam, names_runner
        from pipeline.storage.scratch_folders import gather_temporary_files

        gather_temporary_files()
        if not names_runner(context.obj.arguments):
            import_beam()  # before a module of the command imports all of it
        return function(context.obj, **values)

    run.__signature__ = signature.replace(parameters=[*own, *common])  # type: ignore[attr-defined]
    return run


for _function, _example in COMMANDS:
    _name = _function.__name__.replace("_", "-")
    _epilog = f"\b\nexample: {NAME} {_name} {_example}\n\n{BEAM_FLAGS}"
    app.command(cls=Command, epilog=_epilog)(_as_command(_function))


def run_command(arguments: Sequence[str]) -> int:
    """Runs the command that the arguments name.

    Args:
        arguments: the command line behind `limelight`, Beam's flags after `--`.

    Returns:
        The exit code.

    Raises:
        ConfigError: for a command line that is wrong, in one line with the nearest valid word.
    """
    command = typer.main.get_command(app)
    if COMPLETION in os.environ:
        command.main(prog_name=NAME)  # answers the shell and ends the process
    ours, beam_options = split_beam_options(arguments)
    invocation = Invocation(arguments=tuple(arguments), beam_options=tuple(beam_options))
    try:
        with command.make_context(NAME, ours, obj=invocation) as context:
            return int(command.invoke(context))
    except typer.Exit:  # help or the version is printed
        return DONE


def parse_command(words: Sequence[str]) -> dict[str, Any]:
    """Checks a command line without running it.

    Args:
        words: the name of a command and its options, without Beam's flags.

    Returns:
        The values of its options by name, such as `if_exists` for `--if-exists`.

    Raises:
        ConfigError: for a command line that `run_command` would refuse.
    """
    group = typer.main.get_group(app)
    root = group.make_context(NAME, list(words))
    command = group.commands[words[0]]
    return dict(command.make_context(words[0], list(words[1:]), parent=root).params)
