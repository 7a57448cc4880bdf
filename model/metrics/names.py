"""The names of the metrics in `metrics.json`, `history.csv`, reports and configs."""

from collections.abc import Mapping
from typing import get_args

from model.config import MonitoredMetric

# The metric for which lower is better; for every other one, higher is better.
LOSS = "loss"

# Each score of predictions with its title in reports, in the order in which they are shown.
SCORES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "semeval_f1": "SemEval F1",
}

# Measured on the validation split after every epoch, in the order of the columns of
# `history.csv`. A metric that does not exist for the labels has no column.
MONITORED_METRICS: tuple[str, ...] = get_args(MonitoredMetric)

# The scores in which the variants of a training are compared.
COMPARED_METRICS = tuple(name for name in SCORES if name in MONITORED_METRICS)
