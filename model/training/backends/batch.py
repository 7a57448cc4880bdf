"""The batch that every backend trains on."""

from typing import TypeAlias

import numpy as np

# Inputs by name, labels, weights; `model.training.batches` gives their shapes.
Batch: TypeAlias = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]
