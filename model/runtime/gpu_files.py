"""Whether this machine has a GPU, told without a library that could use it."""

from pathlib import Path

# Device files of an NVIDIA GPU. Checking for them is free; asking TensorFlow would import it,
# which takes about 4 s. Tests replace this.
GPU_DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")


def machine_has_gpu() -> bool:
    """Whether a device file of a GPU exists. A library may still be unable to use the GPU."""
    return any(Path(device).exists() for device in GPU_DEVICE_FILES)
