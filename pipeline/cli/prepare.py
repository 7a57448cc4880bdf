"""`limelight prepare`."""

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import ConfigFile, DryRun, Overrides, RunnerProfile


def prepare(
    invocation: Invocation,
    *,
    config: ConfigFile,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
    dry_run: DryRun = False,
) -> int:
    """Turn corpora into a vocabulary and padded TFRecords."""
    from pipeline.cli.printing import print_dataset, print_doubts, print_made, print_plan
    from pipeline.cli.run_config import workspace_job
    from pipeline.stages import prepare as stage
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.files import join

    invocation = invocation.with_profile(runner_profile, overrides)
    resolved, beam_options = workspace_job(invocation, config, command="prepare")
    if dry_run:
        print_plan(resolved, writes=join(resolved.workspace, "datasets", "<fingerprint>"))
        print_doubts(resolved)
        return DONE
    dataset = stage.prepare(resolved, beam_options=beam_options, files=BeamFiles())
    print_dataset(dataset)
    print_made("report", dataset.files.report)
    return DONE
