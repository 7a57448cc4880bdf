"""`limelight train` and `limelight self-train`."""

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import ConfigFile, DryRun, Overrides, RunnerProfile


def train(
    invocation: Invocation,
    *,
    config: ConfigFile,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
    dry_run: DryRun = False,
) -> int:
    """Prepare, train on workers, and publish the best model."""
    from pipeline.cli.printing import print_doubts, print_plan, print_trained
    from pipeline.cli.run_config import workspace_job
    from pipeline.config.variants import vary_config
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.files import join

    invocation = invocation.with_profile(runner_profile, overrides)
    resolved, beam_options = workspace_job(invocation, config, command="train", trains=True)
    for variant in resolved.training.variants:
        vary_config(resolved, variant)  # refuses a wrong one before anything runs
    if dry_run:
        print_plan(resolved, writes=join(resolved.workspace, "models", resolved.name, "<version>"))
        print_doubts(resolved)
        return DONE
    from pipeline.stages import train as stage

    trained = stage.train(
        resolved,
        beam_options=beam_options,
        files=BeamFiles(),
        command=invocation.command_line,
    )
    print_trained(trained)
    return DONE


def self_train(
    invocation: Invocation,
    *,
    config: ConfigFile,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
) -> int:
    """Train, then learn what the models predict of unlabeled text."""
    from pipeline.cli.printing import print_trained
    from pipeline.cli.run_config import workspace_job
    from pipeline.stages import train as stage
    from pipeline.storage.beam_files import BeamFiles

    invocation = invocation.with_profile(runner_profile, overrides)
    resolved, beam_options = workspace_job(invocation, config, command="self-train", trains=True)
    trained = stage.train(
        resolved,
        beam_options=beam_options,
        files=BeamFiles(),
        command=invocation.command_line,
        self_training=True,
    )
    print_trained(trained)
    return DONE
