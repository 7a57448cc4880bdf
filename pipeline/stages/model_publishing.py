"""Publishing a model: the best trial's files become the next version, with report and card."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from model.bundle.file_names import BASELINE
from model.bundle.manifest import SCHEMA_VERSION, describe_text, model_fingerprint
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.reports.collect import collect_model_report
from pipeline.reports.model_card import render_model_card
from pipeline.reports.model_report import render_model_report
from pipeline.storage.files import Files, join, write_text
from pipeline.storage.manifest import Manifest
from pipeline.training.baseline_comparison import compare_with_baseline, fitted_baseline
from pipeline.training.trial import TrialResult


def publish_model(
    run: Manifest,
    dataset: Dataset,
    results: Sequence[TrialResult],
    best: TrialResult,
    *,
    models: str,
    name: str,
    files: Files,
) -> str:
    """Moves the files of the best trial to the next version and adds report, card, manifest.

    Args:
        run: the manifest of the training run; it becomes the model's.
        dataset: what was trained on.
        results: of all trials.
        best: the one to publish.
        models: the folder of the model's versions.
        name: of the model.
        files: where everything lies.

    Returns:
        the model directory.
    """
    version = next_version(files, models)
    folder = join(models, str(version))
    files.move((join(best.folder, file), join(folder, file)) for file in best.files)
    run.finish("done")
    run.inputs, run.rows = dataset.manifest["inputs"], dataset.manifest["rows"]
    run.extra = {
        "schema_version": SCHEMA_VERSION,
        **run.extra,
        "model_version": f"{name}/{version}",
        **_describe_trials(results, best, dataset),
    }
    described = {
        **best.files,
        **_write_baseline(results, folder, files=files),
        **_write_pages(run, folder, files=files),
    }
    run.outputs = [
        {"file": file, "bytes": item["bytes"], "rows": None, "sha256": item["sha256"]}
        for file, item in sorted(described.items())
    ]
    run.extra = {**run.extra, "files": described}
    run.write(files, folder)
    return folder


def next_version(files: Files, models: str) -> int:
    """One more than the highest version that has any file."""
    found = [info.path[len(models) :].split("/")[1] for info in files.match(join(models, "*", "*"))]
    return 1 + max((int(name) for name in found if name.isdigit()), default=0)


def _describe_trials(
    results: Sequence[TrialResult], best: TrialResult, dataset: Dataset
) -> dict[str, Any]:
    """What the manifest of a model says of its training and of the other trials."""
    baseline = compare_with_baseline(results, best)
    return {
        "fingerprint": model_fingerprint(best.files),
        "vocabulary_ids": best.vocabulary_ids,
        "vectors": best.vectors,
        "encoder": best.encoder,
        "mix": best.mix,
        "baseline": None if baseline is None else dataclasses.asdict(baseline),
        "dataset": dataset.files.folder,
        "variant": best.variant,
        "seed": best.seed,
        "best_epoch": best.best_epoch,
        "trials": [
            {
                "variant": result.variant,
                "seed": result.seed,
                "epochs": result.epochs,
                "metrics": result.scores(),
            }
            for result in results
        ],
    }


def _write_baseline(
    results: Sequence[TrialResult], folder: str, *, files: Files
) -> Mapping[str, Any]:
    """Writes all metrics of the baseline, if there is one; returns the file's size and digest."""
    fitted = fitted_baseline(results)
    if fitted is None or "skipped" in fitted:
        return {}
    text = json.dumps(fitted["evaluations"], indent=2)
    write_text(files, join(folder, BASELINE), text)
    return {BASELINE: describe_text(text)}


def _write_pages(run: Manifest, folder: str, *, files: Files) -> Mapping[str, Any]:
    """Writes the report and the model card; returns their sizes and digests, by file."""
    manifest = run.as_dict()
    report = collect_model_report(
        files, folder, manifest=manifest, rejected=join(manifest["dataset"], "rejected")
    )
    pages = {
        "report.html": render_model_report(report),
        "model_card.md": render_model_card(report),
    }
    for file, text in pages.items():
        write_text(files, join(folder, file), text)
    return {file: describe_text(text) for file, text in pages.items()}
