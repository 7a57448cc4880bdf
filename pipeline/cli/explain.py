"""`limelight explain`."""

import os
from typing import Annotated

import typer

from model.config import ConfigError
from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import Model, OptionalConfigFile, Overrides

# Typer would describe it as `TEXT <list[str]>`; the usage line says enough.
Texts = Annotated[list[str], typer.Argument(metavar="TEXT", hidden=True)]


def explain(
    invocation: Invocation,
    *,
    model: Model,
    texts: Texts,
    config: OptionalConfigFile = None,
    overrides: Overrides,
) -> int:
    """Classify texts and show the attended tokens."""
    from pipeline.cli.printing import print_line
    from pipeline.cli.run_config import refuse_unused
    from pipeline.config.loading import build_config, load_config
    from pipeline.corpora.scoring.gallery import explain_texts
    from pipeline.corpora.scoring.scorers import shared_scorers
    from pipeline.reports.terminal import explain_prediction
    from pipeline.storage.beam_files import BeamFiles

    refuse_unused(overrides)
    resolved = (
        load_config(config, overrides)
        if config
        else build_config({}, overrides, where="the command")
    )
    scoring = resolved.scoring
    [scorer] = shared_scorers(BeamFiles(), [model], scoring)
    explained = explain_texts(scorer, [_read_as_utf8(text) for text in texts])
    for prediction in explained:
        print_line(explain_prediction(prediction, max_unknown=scoring.max_unknown))
    if len(explained) < len(texts):
        raise ConfigError(
            f"TEXT: expected texts with at least one token, got {len(texts) - len(explained)} "
            "without any. Leave out texts that are only blanks."
        )
    return DONE


def _read_as_utf8(argument: str) -> str:
    """An argument of the command line; where the locale could not decode it, its bytes are UTF-8.

    Python marks such bytes by surrogates. Those that are not UTF-8 either become U+FFFD.
    """
    if argument.isascii() or not any("\ud800" <= character <= "\udfff" for character in argument):
        return argument
    return os.fsencode(argument).decode(errors="replace")
