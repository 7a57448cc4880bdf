"""Collects what reports show from the files that runs leave behind."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.bundle.file_names import GALLERY, HISTORY, METRICS, STATISTICS
from model.training.wide_fitting.mix import Mix
from pipeline.corpora.preparing.dataset import DatasetFiles
from pipeline.corpora.reading.counts import sort_by_count
from pipeline.corpora.scoring.gallery import gallery_from_lines
from pipeline.corpora.scoring.prediction_counts import SCORE_BINS
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.reports.content import (
    DataStatistics,
    DriftRow,
    InputCounts,
    RejectedRow,
    RejectionGroup,
)
from pipeline.reports.dataset_report import DatasetReport
from pipeline.reports.formats import counted
from pipeline.reports.model_report import ModelReport
from pipeline.reports.run_report import RunReport
from pipeline.storage.files import Files, base_name, join, read_json, read_lines
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.trial_scores import TrialRecord

EXAMPLES_A_REASON = 3  # rows shown for each reason of a rejection
REJECTION_FILES = 20  # at most these many files of rejections are read for examples
FREQUENT_TOKENS = 40  # shown of the vocabulary


def collect_model_report(
    files: Files, folder: str, *, manifest: Mapping[str, Any], rejected: str | None
) -> ModelReport:
    """The report of the model whose files lie in `folder`.

    Args:
        files: where they lie.
        folder: of the model.
        manifest: of the model.
        rejected: the folder of the dataset's rejections, of which some are shown; None if it is
            not known.
    """
    statistics = read_json(files, join(folder, STATISTICS))
    shown = gallery_from_lines(read_lines(files, join(folder, GALLERY)))
    half = (len(shown) + 1) // 2
    history = csv.DictReader(io.StringIO("\n".join(read_lines(files, join(folder, HISTORY)))))
    evaluations = read_json(files, join(folder, METRICS))
    return ModelReport(
        model_version=manifest["model_version"],
        created=manifest["finished"],
        command=manifest["command"],
        evaluations=evaluations,
        history=[{name: float(value) for name, value in row.items()} for row in history],
        best_epoch=manifest["best_epoch"],
        variant=manifest["variant"],
        seed=manifest["seed"],
        trials=[TrialRecord(**trial) for trial in manifest["trials"]],
        statistics=DataStatistics.from_json(statistics),
        rows_read=manifest["rows"]["read"],
        examples_split="test" if "test" in evaluations else "validation",
        most_certain=shown[:half],
        least_certain=shown[half:][::-1],
        rejections=_group_rejections(files, rejected, counts=manifest["rows"]["rejected"]),
        inputs=[InputCounts(**item) for item in manifest["inputs"]],
        vectors=manifest.get("vectors"),
        encoder=manifest.get("encoder"),
        mix=Mix(**manifest["mix"]) if manifest.get("mix") else None,
        baseline=BaselineRecord.from_json(manifest.get("baseline")),
        warnings=[*statistics["warnings"], *_notes_of_rows(manifest["rows"])],
        config=manifest["config"],
        provenance=_provenance(manifest),
    )


def collect_dataset_report(
    files: Files, dataset: DatasetFiles, *, manifest: Mapping[str, Any]
) -> DatasetReport:
    """The report of the dataset that lies in a folder, complete or not."""
    statistics = read_json(files, dataset.statistics)
    config = manifest["config"]
    return DatasetReport(
        fingerprint=base_name(dataset.folder),
        finished=manifest["finished"],
        complete=manifest["status"] == "done",
        rows_read=manifest["rows"]["read"],
        statistics=DataStatistics.from_json(statistics),
        coverage=statistics["vocabulary_coverage"],
        frequent_tokens=read_lines(files, dataset.vocabulary)[:FREQUENT_TOKENS],
        rejections=_group_rejections(files, dataset.rejected, counts=manifest["rows"]["rejected"]),
        inputs=[InputCounts(**item) for item in manifest["inputs"]],
        warnings=[*statistics["warnings"], *_notes_of_rows(manifest["rows"])],
        config={name: config[name] for name in ("corpus", "text")},
        provenance=_provenance(manifest),
    )


def collect_run_report(
    files: Files, staging: ScoringStaging, *, manifest: Mapping[str, Any]
) -> RunReport:
    """The report of a scoring run whose gallery is still staged."""
    shown = gallery_from_lines(read_lines(files, staging.gallery))
    half = (len(shown) + 1) // 2
    scores = manifest["scores"]
    return RunReport(
        run_id=manifest["run_id"],
        date=manifest["date"],
        model_version=manifest["model_version"],
        started=manifest["started"],
        seconds=manifest["seconds"],
        documents_per_second=manifest["documents_per_second"],
        rows_read=manifest["rows"]["read"],
        rows_scored=manifest["rows"]["used"],
        rows_abstained=manifest["rows"].get("abstained"),
        label_counts=manifest["labels"],
        score_histogram=[scores.get(f"{low / SCORE_BINS:.2f}", 0) for low in range(SCORE_BINS)],
        most_certain=shown[:half],
        least_certain=shown[half:][::-1],
        rejections=_group_rejections(
            files, manifest["rejected"], counts=manifest["rows"]["rejected"]
        ),
        inputs=[InputCounts(**item) for item in manifest["inputs"]],
        drift=[DriftRow(**item) for item in manifest["drift"]["differences"]],
        warnings=[*manifest["drift"]["warnings"], *_notes_of_rows(manifest["rows"])],
        provenance={"model": manifest["model"], **_provenance(manifest)},
    )


def _notes_of_rows(rows: Mapping[str, Any]) -> list[str]:
    """The notes on the rows, and a sentence if input files could not be read to their end."""
    broken = rows.get("broken_files")
    notes = list(rows.get("notes", ()))
    if not broken:
        return notes
    return [
        *notes,
        f"{counted(len(broken), 'input file')} could not be read to the end: only the whole rows "
        "before the damage are here. Each is named under Provenance.",
    ]


def _group_rejections(
    files: Files, folder: str | None, *, counts: Mapping[str, int]
) -> list[RejectionGroup]:
    """Rejections by reason, the most frequent first, with examples from the files in a folder."""
    examples: dict[str, list[RejectedRow]] = {reason: [] for reason in counts}
    found = [] if folder is None else files.match(join(folder, "*.parquet"))
    for info in found[:REJECTION_FILES]:
        with files.open(info.path) as stream:
            _add_examples(examples, pq.ParquetFile(stream))
    return [
        RejectionGroup(reason=reason, rows=rows, examples=examples[reason])
        for reason, rows in sort_by_count(counts)
    ]


def _add_examples(examples: dict[str, list[RejectedRow]], file: pq.ParquetFile) -> None:
    """Fills the lists of examples from a file; one row group is in memory at a time."""
    for group in range(file.num_row_groups):
        if all(len(found) >= EXAMPLES_A_REASON for found in examples.values()):
            return
        table = file.read_row_group(group)
        for reason, found in examples.items():
            wanted = EXAMPLES_A_REASON - len(found)
            rows = table.filter(pc.equal(table.column("reason"), reason)).slice(0, wanted)
            found += [RejectedRow(**row) for row in rows.drop_columns(["reason"]).to_pylist()]


def _provenance(manifest: Mapping[str, Any]) -> dict[str, str]:
    named = {"run": manifest["run_id"], "code": manifest["code_version"]}
    return {**named, **{name: str(version) for name, version in manifest["libraries"].items()}}
