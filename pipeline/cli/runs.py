"""`limelight runs`."""

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import PredictionsFolder


def runs(invocation: Invocation, *, output: PredictionsFolder) -> int:
    """List the scoring runs of an output, newest first."""
    from pipeline.cli.printing import print_runs
    from pipeline.nights.run_table import list_runs
    from pipeline.storage.beam_files import BeamFiles

    print_runs(list_runs(BeamFiles(), output))
    return DONE
