"""Trials -> results: each trial is trained on one worker."""

import dataclasses
from collections.abc import Iterator

import apache_beam as beam

from model.config import ResourcesConfig, TrainingConfig
from model.runtime.backend import BackendName, backend_name, use_backend
from pipeline.storage.files import Files
from pipeline.training.trial import Trial, TrialResult


@dataclasses.dataclass
class TrainModels(beam.PTransform):
    """Trains one model for each trial and yields its `TrialResult`."""

    training: TrainingConfig
    files: Files

    def expand(self, trials: beam.PCollection) -> beam.PCollection:
        """Spreads trials over workers; only this step asks for the resources of training."""
        train: beam.PTransform = beam.ParDo(_Train(self.training, self.files, backend_name()))
        hints = resource_hints(self.training.resources)
        if hints:
            train = train.with_resource_hints(**hints)
        return trials | "Spread" >> beam.Reshuffle() | "Train" >> train


def resource_hints(resources: ResourcesConfig) -> dict[str, str]:
    """Beam's resource hints for the resources that are set; Beam takes every value as a string."""
    hints = dataclasses.asdict(resources)
    return {name: str(value) for name, value in hints.items() if value is not None}


@dataclasses.dataclass
class _Train(beam.DoFn):
    training: TrainingConfig
    files: Files
    backend: BackendName

    def setup(self) -> None:
        # A worker does not have the environment of the command. Keras chooses its backend when it
        # is imported, so everything that imports it comes after this.
        use_backend(self.backend)
        from model.training.devices import choose_devices, prepare_process

        prepare_process(self.training)
        choose_devices(self.training)  # if a required GPU is missing, fails before any trial

    def process(self, trial: Trial) -> Iterator[TrialResult]:
        from pipeline.training.run_trial import run_trial

        yield run_trial(trial, files=self.files)
