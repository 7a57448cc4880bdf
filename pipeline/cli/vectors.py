"""`limelight vectors`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import ConfigFile, InputGlob, Overrides, RunnerProfile


def vectors(
    invocation: Invocation,
    *,
    input: InputGlob = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", metavar="FILE", help="Where the vectors go, in word2vec's text format."
        ),
    ],
    config: ConfigFile,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
) -> int:
    """Learn word vectors from the text of a corpus, labeled or not."""
    from pipeline.cli.printing import print_line, print_made, print_rows
    from pipeline.cli.run_config import with_input
    from pipeline.config.loading import load_config
    from pipeline.runners.options import check_runner
    from pipeline.stages import vectors as stage
    from pipeline.storage.beam_files import BeamFiles

    invocation = invocation.with_profile(runner_profile, overrides)
    check_runner(invocation.beam_options, paths={})
    resolved = load_config(config, invocation.overrides)
    if input:
        resolved = with_input(resolved, input)
    learned = stage.learn_vectors(
        resolved, output=output, files=BeamFiles(), beam_options=invocation.beam_options
    )
    print_rows(learned.rows)
    print_line(f"learned      {learned.words:,} words from {learned.tokens:,} tokens")
    print_made("vectors", output)
    return DONE
