"""`limelight evaluate`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import InputGlob, Model, OptionalConfigFile, Overrides, RunnerProfile

MetricsFile = Annotated[
    str | None,
    typer.Option("--output", metavar="FILE", help="Also write the metrics to a JSON file."),
]


def evaluate(
    invocation: Invocation,
    *,
    model: Model,
    input: InputGlob = None,
    output: MetricsFile = None,
    config: OptionalConfigFile = None,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
) -> int:
    """Score a labeled corpus and print the metrics."""
    from pipeline.cli.printing import print_made, print_metrics, print_rows
    from pipeline.cli.run_config import check_job, given, model_name, scoring_config
    from pipeline.runners.options import check_runner
    from pipeline.stages import evaluate as stage
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.files import write_json

    invocation = invocation.with_profile(runner_profile, overrides)
    paths = given({"--model": model, "--input": input})
    check_runner(invocation.beam_options, paths=paths)  # before the model is opened
    resolved = scoring_config(config, invocation.overrides, model=model, input=input)
    beam_options = check_job(
        invocation.beam_options,
        resolved,
        paths={**paths, "workspace": resolved.workspace},
        job=("evaluate", model_name(model)),
    )
    measured = stage.evaluate(resolved, model=model, beam_options=beam_options, files=BeamFiles())
    print_metrics({"corpus": measured.metrics}, title=model)
    print_rows(measured.rows)
    if output:
        write_json(BeamFiles(), output, measured.metrics)
        print_made("metrics", output)
    return DONE
