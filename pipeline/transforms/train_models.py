"""Trials -> results: one training on one worker."""

import dataclasses

import apache_beam as beam

from pipeline.runs.files import Files
from pipeline.runs.trials import Trial, TrialResult, run_trial


@dataclasses.dataclass
class TrainModels(beam.PTransform):
    """Trains one model a trial; yields a `TrialResult` each."""

    files: Files

    def expand(self, trials: beam.PCollection) -> beam.PCollection:
        """Trials spread over the workers; each leaves its model directory on the filesystem."""
        return trials | "Spread" >> beam.Reshuffle() | "Train" >> beam.Map(self._train)

    def _train(self, trial: Trial) -> TrialResult:
        return run_trial(trial, files=self.files)
