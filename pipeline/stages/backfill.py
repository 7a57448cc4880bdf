"""backfill: score the corpora of many dates, one after another.

A date that fails does not stop the others.
"""

import dataclasses
import logging
from collections.abc import Sequence
from typing import Literal

from model.config import ConfigError
from pipeline.config.loading import config_of_date
from pipeline.config.placeholders import has_date
from pipeline.config.sections import Config
from pipeline.nights.partition import Partition
from pipeline.stages.owned_date import IfExists
from pipeline.stages.score import ScoringRun, score
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files
from pipeline.storage.manifest import one_line

logger = logging.getLogger("limelight")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Night:
    """The outcome of one date.

    Attributes:
        date: ISO 8601.
        status: `done`: it was scored; `skipped`: it was complete before; `failed`.
        run: the run that scored it, now or before; None if it failed.
        error: the error in one line, if it failed.
    """

    date: str
    status: Literal["done", "skipped", "failed"]
    run: ScoringRun | None = None
    error: str = ""

    @property
    def drift(self) -> list[str]:
        """The sentences about measures that have drifted in this run."""
        if self.run is None or self.status != "done":
            return []
        return list(self.run.manifest.get("drift", {}).get("warnings", []))


def backfill(
    config: Config,
    dates: Sequence[str],
    *,
    model: str,
    output: str,
    beam_options: Sequence[str],
    files: Files,
    if_exists: IfExists = "replace",
    reuse_from: str | None = None,
) -> list[Night]:
    """Scores the dates in order. An error of one date is recorded, and the next one is scored.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: if no input contains `{date}`: all dates would score the same corpus.
    """
    if not any(has_date(item.location) for item in config.corpus.inputs):
        paths = ", ".join(item.source for item in config.corpus.inputs)
        raise ConfigError(
            "--dates: expected {date} in an input, so that each date has its own "
            f"corpus, got {paths}. Write it as in --input 'corpus/{{date}}/*.jsonl'."
        )
    open_bundle(files, model)
    nights = []
    for date in dates:
        try:
            run = score(
                config_of_date(config, date),
                model=model,
                partition=Partition(output=output, date=date),
                beam_options=beam_options,
                files=files,
                if_exists=if_exists,
                reuse_from=reuse_from,
            )
            night = Night(date=date, status="skipped" if run.skipped else "done", run=run)
        except Exception as error:  # recorded in the outcome; the other dates are scored
            logger.debug("%s failed", date, exc_info=error)
            night = Night(date=date, status="failed", error=one_line(error))
        logger.info("%s: %s%s", date, night.status, f": {night.error}" if night.error else "")
        for warning in night.drift:
            logger.warning("%s: drift: %s", date, warning)
        nights.append(night)
    return nights
