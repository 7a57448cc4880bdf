"""Writes a trained network to a model directory, with all files except the manifest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.bundle.bundle import Bundle
from model.bundle.file_names import GALLERY, HISTORY, METRICS, PROFILE, STATISTICS
from model.bundle.golden import write_golden
from model.bundle.lines import write_lines
from model.bundle.writing import write_bundle
from model.config import ModelConfig
from model.layers.forward import on_cpu
from model.layers.keras_engine import KerasEngine
from model.scoring.engine_scorer import EngineScorer
from model.scoring.golden_check import make_golden
from model.scoring.serving_export import export_serving
from model.text.vocabulary import Vocabulary
from model.training.fit import Fitted
from model.training.history import write_history
from model.wide.wide_part import WidePart
from pipeline.corpora.scoring.gallery import gallery_to_lines, score_samples
from pipeline.storage.files import Files
from pipeline.training.trial import Trial

GOLDEN_SAMPLES = 32  # golden documents that are taken from the corpus

# Texts for which engines have given different results: Unicode that changes its length in lower
# case, right-to-left and mixed scripts, an emoji of two code points, a single token.
GOLDEN_EXTREMES = ("a", "ΣΊΣΥΦΟΣ İstanbul ﬁne", "العربية then English 中文 ภาษาไทย 👍🏽")


def write_model_directory(
    folder: Path,
    trial: Trial,
    fitted: Fitted,
    *,
    wide: WidePart | None,
    vocabulary: Vocabulary,
    files: Files,
) -> None:
    """Writes the bundle, its golden documents, the SavedModel, the examples and the history.

    Raises:
        BundleError: if the SavedModel does not reproduce the golden documents.
    """
    config, dataset = trial.config, trial.dataset
    bundle = write_bundle(
        folder,
        name=config.name,
        config=ModelConfig(text=config.text, network=config.network, training=config.training),
        network=fitted.network,
        vocabulary=vocabulary,
        labels=dataset.labels,
        wide=None if wide is None else wide.weights,
    )
    scorer = EngineScorer(bundle, _reference_engine(bundle))
    samples = dataset.read_samples(files)
    texts = [sample.text for sample in samples[:GOLDEN_SAMPLES]]
    write_golden(folder, make_golden(scorer, [*texts, *GOLDEN_EXTREMES]))
    export_serving(bundle)
    unseen = "test" if dataset.rows("test") else "validation"
    shown = [sample for sample in samples if sample.split == unseen]
    write_lines(folder / GALLERY, gallery_to_lines(score_samples(scorer, shown)))
    write_history(folder / HISTORY, fitted.history)
    (folder / STATISTICS).write_text(json.dumps(dataset.statistics, indent=2), encoding="utf-8")


def _reference_engine(bundle: Bundle) -> KerasEngine:
    """The engine that computes the golden documents: float32 on a CPU, from the saved weights.

    The trained network may compute in half precision, and a GPU rounds the factors of products to
    10 bits. Other engines and machines could not reproduce such results within the tolerance.
    """
    with on_cpu():
        return KerasEngine(bundle.build_network(cudnn=False), cpu=True)


def write_evaluation(
    folder: Path, *, metrics: Mapping[str, Any], profile: Mapping[str, Any] | None
) -> None:
    """Writes the metrics of each split and, if there is a validation split, its profile."""
    (folder / METRICS).write_text(json.dumps(metrics, indent=2), encoding="utf-8")
    if profile is not None:
        (folder / PROFILE).write_text(json.dumps(profile), encoding="utf-8")
