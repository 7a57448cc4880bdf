"""`limelight compare`."""

from typing import Annotated

import typer

from pipeline.cli.exit_codes import DONE, GATE_TRIPPED
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import (
    InputGlobs,
    OptionalConfigFile,
    Overrides,
    RunnerProfile,
    parse_number,
    parse_share,
)

OldModel = Annotated[str, typer.Option("--old", metavar="DIR", help="The model in service.")]
NewModel = Annotated[str, typer.Option("--new", metavar="DIR", help="The model to promote.")]
Output = Annotated[
    str, typer.Option("--output", metavar="DIR", help="Where the flips and the report go.")
]
MaxChurn = Annotated[
    float | None,
    typer.Option(
        "--max-churn",
        parser=parse_share,
        metavar="SHARE",
        help="Exit 3 if a larger share of the documents flips.",
    ),
]
MinAccuracyGain = Annotated[
    float | None,
    typer.Option(
        "--min-accuracy-gain",
        parser=parse_number,
        metavar="GAIN",
        help="Exit 3 if the new model's accuracy gains less, such as 0.01. It may be negative.",
    ),
]


def compare(
    invocation: Invocation,
    *,
    old: OldModel,
    new: NewModel,
    input: InputGlobs,
    output: Output,
    max_churn: MaxChurn = None,
    min_accuracy_gain: MinAccuracyGain = None,
    config: OptionalConfigFile = None,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
) -> int:
    """Score one corpus with two models and show what would change."""
    from pipeline.cli.printing import print_comparison, print_made, print_rows
    from pipeline.cli.run_config import scoring_job
    from pipeline.corpora.scoring.comparison import Gates
    from pipeline.stages import compare as stage
    from pipeline.storage.beam_files import BeamFiles

    resolved, beam_options = scoring_job(
        invocation.with_profile(runner_profile, overrides),
        config,
        model=old,
        inputs=input,
        paths={"--old": old, "--new": new, "--output": output},
        job=("compare",),
    )
    compared = stage.compare(
        resolved,
        old=old,
        new=new,
        output=output,
        gates=Gates(max_churn=max_churn, min_accuracy_gain=min_accuracy_gain),
        beam_options=beam_options,
        files=BeamFiles(),
    )
    print_comparison(compared.comparison)
    print_rows(compared.comparison["rows"])
    print_made("flips", compared.flips)
    print_made("report", compared.report)
    return GATE_TRIPPED if compared.comparison["tripped"] else DONE
