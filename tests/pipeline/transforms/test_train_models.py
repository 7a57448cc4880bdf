"""TrainModels: resource hints on the training step only, and the error for a missing GPU."""

import apache_beam as beam
import pytest

from model.config import ResourcesConfig, TrainingConfig
from pipeline.storage.beam_files import BeamFiles
from pipeline.training.trial import Trial
from pipeline.transforms.train_models import TrainModels, resource_hints

RESOURCES = ResourcesConfig(
    accelerator="type:nvidia-tesla-t4;count:1;install-nvidia-driver", min_ram="30GB", cpu_count=8
)


def test_only_resources_that_are_set_become_hints_and_all_are_strings():
    assert resource_hints(ResourcesConfig()) == {}
    assert resource_hints(RESOURCES)["cpu_count"] == "8"


def test_only_the_training_step_has_hints():
    pipeline = beam.Pipeline()
    training = TrainingConfig(resources=RESOURCES)
    pipeline | beam.Create([]) | "Train models" >> TrainModels(training, BeamFiles())
    components = pipeline.to_runner_api().components
    hinted = {
        step.unique_name
        for step in components.transforms.values()
        if step.environment_id and components.environments[step.environment_id].resource_hints
    }
    assert hinted
    assert all(name.startswith("Train models/Train") for name in hinted)
    [environment] = {
        step.environment_id for step in components.transforms.values() if step.unique_name in hinted
    }
    values = set(components.environments[environment].resource_hints.values())
    assert values == {RESOURCES.accelerator.encode(), b"30000000000", b"8"}


def test_a_worker_without_the_required_gpu_fails_in_setup():
    pipeline = beam.Pipeline("FnApiRunner")
    training = TrainingConfig(gpu="required")
    trials = pipeline | beam.Create(["a trial"]).with_output_types(Trial)
    trials | TrainModels(training, BeamFiles())
    with pytest.raises(Exception, match=r"training.gpu: expected a worker with a GPU"):
        pipeline.run().wait_until_finish()
