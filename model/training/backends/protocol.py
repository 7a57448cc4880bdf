"""What training needs of a Keras backend: the seam between `fit` and TensorFlow or JAX."""

import abc
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from model.config import TrainingConfig
from model.training.backends.averaging_optimizer import averaging_optimizer
from model.training.backends.batch import Batch
from model.training.backends.passes import Further


class Backend(abc.ABC):
    """What `fit` asks of a backend. Devices are named as the backend names them."""

    # Whether a step is compiled by XLA as a whole.
    JIT_COMPILE: ClassVar[bool]
    # Whether cuDNN's LSTM can compute in half precision.
    CUDNN_IN_HALF_PRECISION: ClassVar[bool]
    # The optimizers that `training.optimizer` can name. They get the gradients of the whole batch.
    OPTIMIZERS: ClassVar[Mapping[str, type[keras.optimizers.Optimizer]]]

    @abc.abstractmethod
    def list_gpus(self) -> list[str]:
        """The GPUs that the backend may use, such as `GPU:0`."""

    @abc.abstractmethod
    def describe_gpu(self, gpu: str) -> str:
        """The product's name of a GPU, such as `NVIDIA L4`."""

    @abc.abstractmethod
    def batches_per_call(self, devices: Sequence[str]) -> int:
        """How many batches are trained on in one call from Python."""

    @abc.abstractmethod
    def on_devices(self, devices: Sequence[str]) -> contextlib.AbstractContextManager[None]:
        """Inside this context networks are built, and trained, on the devices.

        With several devices every device has all weights and computes a part of each batch.
        """

    @abc.abstractmethod
    def deterministic(self) -> contextlib.AbstractContextManager[None]:
        """Inside this context the same inputs give the same outputs, to the bit, on every run."""

    def make_optimizer(
        self, config: TrainingConfig, *, learning_rate: Any
    ) -> keras.optimizers.Optimizer:
        """An optimizer that clips by the global norm of the whole batch's gradients.

        With `config.ema_decay` it also averages the weights; the class `StepAverage` of
        `model.training.state.averaging` takes them from it.
        """
        made = self.OPTIMIZERS[config.optimizer]
        arguments: dict[str, Any] = {"global_clipnorm": config.gradient_clip}
        if config.optimizer == "adam":
            arguments["beta_1"], arguments["beta_2"] = config.adam_betas
        if config.ema_decay:
            made = averaging_optimizer(made, decay=config.ema_decay)
        optimizer: keras.optimizers.Optimizer = made(learning_rate, **arguments)
        return optimizer

    @abc.abstractmethod
    def make_trainee(
        self, network: keras.Model, logits: Any, further: Further | None = None
    ) -> keras.Model:
        """A model of the network's layers whose only output is the logits, to be compiled.

        Args:
            network: from `model.layers.classifier.build_classifier`.
            logits: its output of this name.
            further: losses that are added to the one that the model is compiled with, weighted as
                the documents are.
        """

    @abc.abstractmethod
    def feed(self, batches: Sequence[Batch]) -> Any:
        """The batches of an epoch, all of the same rows, as `keras.Model.fit` takes them."""
