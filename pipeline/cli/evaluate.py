"""`limelight evaluate`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import InputGlobs, Model, OptionalConfigFile, Overrides, RunnerProfile

MetricsFile = Annotated[
    str | None,
    typer.Option("--output", metavar="FILE", help="Also write the metrics to a JSON file."),
]


def evaluate(
    invocation: Invocation,
    *,
    model: Model,
    input: InputGlobs,
    output: MetricsFile = None,
    config: OptionalConfigFile = None,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
) -> int:
    """Score a labeled corpus and print the metrics."""
    from pipeline.cli.printing import (
        print_coverage,
        print_left_out,
        print_made,
        print_metrics,
        print_rows,
    )
    from pipeline.cli.run_config import scoring_job
    from pipeline.stages import evaluate as stage
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.files import write_json

    resolved, beam_options = scoring_job(
        invocation.with_profile(runner_profile, overrides),
        config,
        model=model,
        inputs=input,
        paths={"--model": model},
        job=("evaluate",),
    )
    measured = stage.evaluate(resolved, model=model, beam_options=beam_options, files=BeamFiles())
    print_metrics({"corpus": measured.metrics}, title=model)
    print_left_out(measured.metrics, used=measured.rows["used"])
    print_coverage(measured.metrics)
    print_rows(measured.rows)
    if output:
        write_json(BeamFiles(), output, measured.metrics)
        print_made("metrics", output)
    return DONE
