"""Training with JAX; `model.training.backends.protocol.Backend` describes the methods."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import jax
import keras
from typing_extensions import override

from model.training.backends.batch import Batch
from model.training.backends.jax_further import FurtherTrainee
from model.training.backends.passes import Further
from model.training.backends.protocol import Backend


class JaxBackend(Backend):
    """JAX; `Backend` describes the methods."""

    JIT_COMPILE = True
    CUDNN_IN_HALF_PRECISION = False
    # JAX has the gradients of the whole batch, whatever the number of devices, and those of an
    # embedding are dense: Keras's own optimizers clip them as documented.
    OPTIMIZERS: ClassVar = {
        "adam": keras.optimizers.Adam,
        "adadelta": keras.optimizers.Adadelta,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }

    @override
    def list_gpus(self) -> list[str]:
        if jax.default_backend() != "gpu":
            return []
        return [f"gpu:{device.id}" for device in jax.local_devices()]

    @override
    def describe_gpu(self, gpu: str) -> str:
        return str(_device(gpu).device_kind)

    @override
    def batches_per_call(self, devices: Sequence[str]) -> int:
        # JAX returns from a call before the device has computed: Python's work does not hold it up.
        return 1

    @override
    @contextlib.contextmanager
    def on_devices(self, devices: Sequence[str]) -> Iterator[None]:
        if len(devices) > 1:
            with keras.distribution.DataParallel(devices=list(devices)).scope():
                yield
        else:
            with jax.default_device(_device(devices[0])):
                yield

    @override
    @contextlib.contextmanager
    def deterministic(self) -> Iterator[None]:
        # The compiler reads its flags once, when JAX starts: `prepare_process` in
        # `model.training.devices` sets the one for this. On a CPU the results do not vary.
        yield

    @override
    def make_trainee(
        self, network: keras.Model, logits: Any, further: Further | None = None
    ) -> keras.Model:
        if further is not None:
            return FurtherTrainee(network, logits, further)
        return keras.Model(network.inputs, logits)

    @override
    def feed(self, batches: Sequence[Batch]) -> keras.utils.PyDataset:
        return _Dataset(batches)


class _Dataset(keras.utils.PyDataset):
    """Batches by number. Of a generator, Keras would lose the first batch: it takes it to build."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        super().__init__()
        self.batches = batches

    @override
    def __len__(self) -> int:
        return len(self.batches)

    @override
    def __getitem__(self, index: int) -> Batch:
        return self.batches[index]


def _device(name: str) -> jax.Device:
    kind, _, number = name.partition(":")
    [found] = [each for each in jax.local_devices(backend=kind) if each.id == int(number)]
    return found
