"""`limelight demo`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation


def demo(
    invocation: Invocation,
    *,
    output: Annotated[
        str, typer.Option("--output", metavar="DIR", help="Workspace and output in one folder.")
    ],
) -> int:
    """Run the whole job on a generated corpus."""
    from pipeline.cli.printing import print_line
    from pipeline.runners.options import check_runner
    from pipeline.stages import demo as stage
    from pipeline.storage.beam_files import BeamFiles

    check_runner(invocation.beam_options, paths={"--output": output})
    result = stage.demo(
        output,
        beam_options=invocation.beam_options,
        files=BeamFiles(),
        command=invocation.command_line,
    )
    for line in result.summary():
        print_line(line)
    return DONE
