"""Writes the SavedModel into a model directory and checks that it reproduces the golden documents.

A SavedModel is a TensorFlow graph. If Keras runs on JAX, another process writes it:

    KERAS_BACKEND=tensorflow python -m model.scoring.serving_export FOLDER
"""

import importlib.util
import logging
import os
import subprocess
import sys
from pathlib import Path

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.loading import read_unpublished
from model.runtime.backend import VARIABLE, backend_name
from model.scoring.golden_check import verify_golden

logger = logging.getLogger("limelight")


def export_serving(bundle: Bundle) -> None:
    """Writes the SavedModel, or logs that there is none because TensorFlow is not installed.

    Args:
        bundle: the model; its weights, config and golden documents are written.

    Raises:
        BundleError: if the SavedModel does not reproduce the golden documents.
    """
    if backend_name() == "tensorflow":
        _export_here(bundle)
    elif importlib.util.find_spec("tensorflow") is None:
        logger.info("no SavedModel is written for TF Serving, because TensorFlow is not installed")
    else:
        _export_in_process(bundle.folder)


def _export_here(bundle: Bundle) -> None:
    from model.scoring.serving import write_serving
    from model.scoring.tensorflow_scorer import TensorFlowScorer

    write_serving(bundle)
    # Other engines are checked against the golden documents whenever they are loaded. The
    # SavedModel is loaded by serving programs that do not check it, so it is checked here.
    verify_golden(TensorFlowScorer(bundle), bundle.read_golden(), engine="tensorflow")


def _export_in_process(folder: Path) -> None:
    # The GPU belongs to this process; tracing a graph needs none.
    environment = {**os.environ, VARIABLE: "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", __name__, str(folder)]
    done = subprocess.run(  # noqa: S603  the command is this module
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing on standard error"]
        raise BundleError(
            f"{folder}: expected a SavedModel from a process with TensorFlow, got exit code "
            f"{done.returncode}: {last[0]}. Run `{VARIABLE}=tensorflow {' '.join(command)}` to see "
            "why."
        )


if __name__ == "__main__":
    _export_here(read_unpublished(Path(sys.argv[1])))
