"""`limelight vectors` and `limelight pretrain`, which learn from text without labels."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import ConfigFile, DryRun, InputGlobs, Overrides, RunnerProfile


def vectors(
    invocation: Invocation,
    *,
    input: InputGlobs,
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
    from pipeline.cli.run_config import with_inputs
    from pipeline.config.loading import load_config
    from pipeline.runners.options import check_runner
    from pipeline.stages.unlabeled import vectors as stage
    from pipeline.storage.beam_files import BeamFiles

    invocation = invocation.with_profile(runner_profile, overrides)
    check_runner(invocation.beam_options, paths={})
    resolved = load_config(config, invocation.overrides)
    if input:
        resolved = with_inputs(resolved, input)
    learned = stage.learn_vectors(
        resolved, output=output, files=BeamFiles(), beam_options=invocation.beam_options
    )
    print_rows(learned.rows)
    print_line(f"learned      {learned.words:,} words from {learned.tokens:,} tokens")
    print_made("vectors", output)
    return DONE


def pretrain(
    invocation: Invocation,
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output", metavar="DIR", help="Where the encoder goes, for network.pretrained."
        ),
    ],
    config: ConfigFile,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
    dry_run: DryRun = False,
) -> int:
    """Pretrain the LSTM on a corpus, labeled or not."""
    from model.config import ConfigError
    from pipeline.cli.printing import print_dataset, print_line, print_made, print_plan
    from pipeline.cli.run_config import workspace_job
    from pipeline.config.sections import require_folder
    from pipeline.storage.beam_files import BeamFiles

    invocation = invocation.with_profile(runner_profile, overrides)
    resolved, beam_options = workspace_job(invocation, config, command="pretrain")
    try:
        require_folder(output, "--output")
    except ValueError as error:
        raise ConfigError(f"{error}.") from None
    if dry_run:
        print_plan(resolved, writes=output)
        return DONE
    from pipeline.stages.unlabeled import pretrain as stage

    made = stage.pretrain(resolved, output=output, beam_options=beam_options, files=BeamFiles())
    print_dataset(made.dataset)
    for row in made.history:
        kept = " (kept)" if row["epoch"] == made.best_epoch else ""
        print_line(f"pretrained   {stage.describe_epoch(row)}{kept}")
    print_made("encoder", output)
    return DONE
