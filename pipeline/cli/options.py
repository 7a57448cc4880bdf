"""The options and arguments that commands share, with their help texts and checks."""

import dataclasses
import datetime
import math
import zoneinfo
from typing import Annotated, Literal

import typer

from pipeline.process.numerals import parse_numeral

DAYS_AGO = {"today": 0, "yesterday": 1}  # names of dates, so that a schedule never changes


@dataclasses.dataclass(frozen=True, kw_only=True)
class DateRange:
    """The dates from `first` to `last`, both included, as YYYY-MM-DD."""

    first: str
    last: str

    def days(self) -> list[str]:
        """Every date of the range, the earliest first."""
        begin, end = (datetime.date.fromisoformat(date) for date in (self.first, self.last))
        days = (end - begin).days + 1
        return [(begin + datetime.timedelta(days=day)).isoformat() for day in range(days)]


def today() -> str:
    """Today's date in UTC, as YYYY-MM-DD."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def parse_date(value: str) -> str:
    """Checks a date; `today` and `yesterday` become dates.

    They are those of UTC, and `yesterday@Europe/Berlin` is that of a zone.

    Raises:
        typer.BadParameter: for anything else.
    """
    name, at, zone = value.partition("@")
    if name in DAYS_AGO:
        now = datetime.datetime.now(_find_zone(zone) if at else datetime.UTC)
        return (now.date() - datetime.timedelta(days=DAYS_AGO[name])).isoformat()
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        raise typer.BadParameter(
            f"expected a date YYYY-MM-DD, today or yesterday, got {value!r}"
        ) from None


def _find_zone(name: str) -> datetime.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise typer.BadParameter(
            f"expected a zone such as Europe/Berlin after @, got {name!r}, which this machine does "
            "not know; without zones of the system, install the package tzdata"
        ) from None


def parse_dates(value: str) -> DateRange:
    """Reads a range of dates, such as 2026-11-01..yesterday.

    Raises:
        typer.BadParameter: for what is none, or ends before it begins.
    """
    first, dots, last = value.partition("..")
    if not dots:
        raise typer.BadParameter(f"expected dates YYYY-MM-DD..YYYY-MM-DD, got {value!r}")
    dates = DateRange(first=parse_date(first), last=parse_date(last))
    if dates.first > dates.last:
        raise typer.BadParameter(f"expected the earlier date first, got {value!r}")
    return dates


def parse_earlier_date(value: str) -> str:
    """Checks a date, or `previous`, which stays as it is.

    Raises:
        typer.BadParameter: for anything else.
    """
    if value == "previous":
        return value
    try:
        return parse_date(value)
    except typer.BadParameter as error:
        message = error.message.replace("a date YYYY-MM-DD", "previous, a date YYYY-MM-DD")
        raise typer.BadParameter(message) from None


def parse_share(value: str) -> float:
    """Reads a number from 0 to 1.

    Raises:
        typer.BadParameter: for anything else.
    """
    share = parse_numeral(value)
    if not 0 <= share <= 1:
        raise typer.BadParameter(f"expected a share from 0 to 1, got {value!r}")
    return share


def parse_number(value: str) -> float:
    """Reads a finite number.

    Raises:
        typer.BadParameter: for anything else.
    """
    number = parse_numeral(value)
    if not math.isfinite(number):
        raise typer.BadParameter(f"expected a number, got {value!r}")
    return number


ConfigFile = Annotated[str, typer.Option("--config", metavar="FILE", help="A YAML config.")]
OptionalConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="A YAML config.")
]
RunnerProfile = Annotated[
    str | None,
    typer.Option(
        "--runner-profile",
        metavar="NAME",
        help="Take Beam's flags and config keys from configs/runners/NAME.yaml. Those on the "
        "command line win.",
    ),
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        default_factory=list,
        show_default=False,
        help="Override a config key, such as training.epochs=3. May be repeated.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print the resolved config, the matched files and what would be written; "
        "write nothing.",
    ),
]
Model = Annotated[
    str, typer.Option("--model", metavar="DIR", help="The folder of a model version.")
]
InputGlobs = Annotated[
    list[str],
    typer.Option(
        "--input",
        metavar="GLOB",
        default_factory=list,
        show_default=False,
        help="Files to read in place of the config's inputs. May be repeated.",
    ),
]
PredictionsFolder = Annotated[
    str,
    typer.Option(
        "--output", metavar="DIR", help="The folder below which predictions are published."
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show tracebacks and the libraries' own logs.")
]
LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option(
        "--log-format",
        help="json: one JSON object an event on standard error; the last one sums up the run.",
    ),
]
