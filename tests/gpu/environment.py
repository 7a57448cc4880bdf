"""The part `environment`: the device, its driver, the versions of the libraries."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.runtime.cores import usable_cores

LIBRARIES = ("jax", "jaxlib", "keras", "numba", "numpy", "nvidia-cudnn-cu13", "torch")


def run(report: Callable[[str, Any], None], options: object) -> None:
    report("python", platform.python_version())
    report("cores", usable_cores())
    report("processor", _processor())
    report("libraries", {name: _version(name) for name in LIBRARIES})
    report("nvidia_smi", _nvidia_smi())

    import jax

    device = jax.devices()[0]
    memory = device.memory_stats() or {}
    report("backend", jax.default_backend())
    report("device", device.device_kind)
    report("device_count", len(jax.devices()))
    report("memory_bytes", memory.get("bytes_limit"))
    report("flags", {name: os.environ.get(name) for name in ("XLA_FLAGS", "JAX_PLATFORMS")})


def _processor() -> str | None:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _nvidia_smi() -> str | None:
    query = "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit"
    try:
        found = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
