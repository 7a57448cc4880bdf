"""`limelight score`: one date, or every date of a range."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from model.config import ConfigError
from pipeline.cli.exit_codes import DONE, GATE_TRIPPED
from pipeline.cli.invocation import Invocation
from pipeline.cli.options import (
    DateRange,
    DryRun,
    InputGlobs,
    Model,
    OptionalConfigFile,
    Overrides,
    PredictionsFolder,
    RunnerProfile,
    parse_date,
    parse_dates,
    parse_earlier_date,
    today,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.config.sections import Config
    from pipeline.stages.backfill import Night

Date = Annotated[
    str | None,
    typer.Option(
        "--date",
        parser=parse_date,
        metavar="YYYY-MM-DD",
        show_default="today",
        help="The partition, and the value of {date} in the inputs. yesterday and today are "
        "those of UTC; yesterday@Europe/Berlin is that of a zone.",
    ),
]
Dates = Annotated[
    DateRange | None,
    typer.Option(
        "--dates",
        parser=parse_dates,
        metavar="A..B",
        help="Every date from A to B, one after another. A date that fails does not stop the "
        "others; the exit code is 1.",
    ),
]
IfExists = Annotated[
    Literal["replace", "skip", "fail"],
    typer.Option("--if-exists", help="What to do if the date's partition is complete."),
]
ReuseFrom = Annotated[
    str | None,
    typer.Option(
        "--reuse-from",
        parser=parse_earlier_date,
        metavar="DATE",
        help="Take the rows of unchanged documents from an earlier date, or from: previous.",
    ),
]


# Longer than 60 lines: one parameter for each option of the command.
def score(
    invocation: Invocation,
    *,
    model: Model,
    input: InputGlobs,
    output: PredictionsFolder,
    date: Date = None,
    dates: Dates = None,
    if_exists: IfExists = "replace",
    reuse_from: ReuseFrom = None,
    config: OptionalConfigFile = None,
    runner_profile: RunnerProfile = None,
    overrides: Overrides,
    dry_run: DryRun = False,
) -> int:
    """Score corpora and publish the predictions of a date."""
    if date and dates:
        raise ConfigError("limelight score: --dates: not allowed with --date. Leave one out.")
    from pipeline.cli.printing import print_scored
    from pipeline.cli.run_config import scoring_job
    from pipeline.config.loading import config_of_date
    from pipeline.nights.partition import Partition
    from pipeline.storage.beam_files import BeamFiles

    date = date or today()
    resolved, beam_options = scoring_job(
        invocation.with_profile(runner_profile, overrides),
        config,
        model=model,
        inputs=input,
        paths={"--model": model, "--output": output},
        job=("score", date),
    )
    if dry_run:
        _print_plans(resolved, dates.days() if dates else [date], model=model, output=output)
        return DONE
    if dates:
        from pipeline.stages.backfill import backfill

        nights = backfill(
            resolved,
            dates.days(),
            model=model,
            output=output,
            beam_options=beam_options,
            files=BeamFiles(),
            if_exists=if_exists,
            reuse_from=reuse_from,
        )
        return _conclude_backfill(nights)
    from pipeline.stages import score as stage

    run = stage.score(
        config_of_date(resolved, date),
        model=model,
        partition=Partition(output=output, date=date),
        beam_options=beam_options,
        files=BeamFiles(),
        if_exists=if_exists,
        reuse_from=reuse_from,
    )
    print_scored(run)
    return GATE_TRIPPED if run.alerts else DONE


def _print_plans(config: "Config", dates: "Sequence[str]", *, model: str, output: str) -> None:
    from pipeline.cli.printing import print_estimate, print_plan
    from pipeline.config.loading import config_of_date
    from pipeline.nights.partition import Partition
    from pipeline.stages.scored_corpus import config_of_model
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.bundles import open_bundle

    config = config_of_model(config, open_bundle(BeamFiles(), model))
    for date in dates:
        dated = config_of_date(config, date)
        print_plan(dated, writes=Partition(output=output, date=date).predictions)
        print_estimate(dated, model=model)


def _conclude_backfill(nights: "Sequence[Night]") -> int:
    """Prints one line a date and returns the exit code of all."""
    from pipeline.cli.printing import print_line, print_night
    from pipeline.runners.execution import RunError

    for night in nights:
        print_night(night)
    failed = [night.date for night in nights if night.status == "failed"]
    if failed:
        raise RunError(
            f"{len(failed)} of {len(nights)} dates failed: {', '.join(failed)}. "
            "Correct the cause and run again with --if-exists skip."
        )
    alerting = [night.date for night in nights if night.run and night.run.alerts]
    if not alerting:
        return DONE
    print_line(
        f"gate         {len(alerting)} of {len(nights)} dates drifted (drift.on_drift is alert): "
        f"{', '.join(alerting)}"
    )
    return GATE_TRIPPED
