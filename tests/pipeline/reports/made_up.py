"""Invented reports with every part filled, so that a test changes one part at a time."""

import dataclasses
from typing import Any

import numpy as np

from model.metrics.evaluation import Evaluation, evaluate
from model.metrics.paired import compare_accuracies
from pipeline.corpora.scoring.gallery import ExampleDocument
from pipeline.reports.content import (
    DataStatistics,
    InputCounts,
    RejectedRow,
    RejectionGroup,
    SplitStatistics,
)
from pipeline.reports.dataset_report import DatasetReport
from pipeline.reports.model_report import ModelReport
from pipeline.reports.run_report import RunReport
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.trial_scores import TrialRecord

LABELS = ("billing", "praise")


def document(**changes: Any) -> ExampleDocument:
    made_up = ExampleDocument(
        document_id="ticket-1",
        text="My refund, please.",
        truth="billing",
        label="billing",
        score=0.987,
        token_starts=[0, 3, 9, 11, 17],
        token_ends=[2, 9, 10, 17, 18],
        attention=[0.1, 0.8, 0.0, 0.1, 0.0],
    )
    return dataclasses.replace(made_up, **changes)


def evaluation(labels: tuple[str, ...] = LABELS) -> Evaluation:
    """Nine of ten predictions are right; one document of the first label gets the second."""
    truth = np.arange(10) % len(labels)
    predicted = truth.copy()
    predicted[0] = 1
    probabilities = np.full((10, len(labels)), 0.2 / (len(labels) - 1))
    probabilities[np.arange(10), predicted] = 0.8
    return evaluate(probabilities, truth, labels=labels)


def statistics(labels: tuple[str, ...] = LABELS) -> DataStatistics:
    return DataStatistics(
        labels=labels,
        vocabulary_ids=1_234,
        splits={
            name: SplitStatistics(
                documents=documents,
                labels=dict.fromkeys(labels, documents // len(labels)),
                length_quantiles={"0": 1, "0.25": 5, "0.5": 12, "0.9": 40, "1": 4_321},
                tokens=documents * 12,
                oov_rate=0.0312,
                truncated_documents=7,
                scripts={"Latin": documents - 5, "Han": 5},
                truncated_tokens=70,
            )
            for name, documents in (("train", 8_000), ("test", 1_000))
        },
        duplicates_within={"train": 3},
        duplicates_across={"train and test": 2},
        rows_repaired=4,
    )


def rejections(**changes: Any) -> list[RejectionGroup]:
    row = RejectedRow(
        document_id=None,
        source_file="tickets.jsonl",
        source_row=1_812,
        detail="expected JSON, got the end of the line",
        raw=b'{"id": "ticket-1812", "te',
    )
    row = dataclasses.replace(row, **changes)
    return [
        RejectionGroup(reason="malformed_row", rows=11, examples=[row]),
        RejectionGroup(reason="empty_text", rows=1),
    ]


def inputs(file: str = "corpus/tickets.jsonl") -> list[InputCounts]:
    return [
        InputCounts(file=file, bytes=3_400_000, rows_read=9_012, rows_used=9_000, rows_rejected=12)
    ]


def trials() -> list[TrialRecord]:
    return [
        TrialRecord(
            variant=variant,
            seed=seed,
            epochs=2,
            metrics={"test": {"rows": 10, "accuracy": score, "loss": 0.5}},
        )
        for variant, seed, score in (
            ("base", 1, 0.7),
            ("base", 2, 0.9),
            ("mean", 1, 0.6),
            ("mean", 2, 0.7),
        )
    ]


def baseline(right: int = 7) -> BaselineRecord:
    """A baseline with so many of ten documents of each split right, while the model has nine."""
    ours, model = np.arange(10) < right, np.arange(10) < 9
    scores = {"rows": 10, "accuracy": right / 10, "macro_f1": right / 10, "loss": 0.5}
    return BaselineRecord(
        terms="words 1-2",
        strength=4.0,
        seconds=1.23,
        notes=["It was not tuned, because there is no validation split."],
        scores={"validation": scores, "test": scores},
        differences={split: compare_accuracies(ours, model) for split in ("test", "validation")},
    )


def model_report(**changes: Any) -> ModelReport:
    made_up = ModelReport(
        model_version="tickets/3",
        created="2026-11-20T10:55:12+00:00",
        command="limelight train --config tickets.yaml",
        evaluations={"validation": evaluation(), "test": evaluation()},
        history=[
            {"epoch": 1.0, "loss": 0.9, "validation_loss": 1.0, "validation_macro_f1": 0.5},
            {"epoch": 2.0, "loss": 0.4, "validation_loss": 0.6, "validation_macro_f1": 0.8},
        ],
        best_epoch=2,
        variant="base",
        seed=2,
        trials=trials(),
        statistics=statistics(),
        rows_read=9_012,
        examples_split="test",
        most_certain=[document()],
        least_certain=[document(document_id="ticket-2", truth="praise", score=0.51)],
        rejections=rejections(),
        inputs=inputs(),
        baseline=baseline(),
        warnings=["The largest class of train has 11 times as many documents as the smallest."],
        config={
            "text": {"max_tokens": 200},
            "name": "tickets",
            "corpus": {
                "inputs": [{"path": "a.jsonl", "split": "train"}, {"path": "b", "split": None}],
                "splits": {"validation": 0.0, "test": 0.1},
            },
        },
        provenance={"run": "20261120T105512Z-train-3fa2b1", "keras": "3.15.0"},
    )
    return dataclasses.replace(made_up, **changes)


def run_report(**changes: Any) -> RunReport:
    made_up = RunReport(
        run_id="20261120T110301Z-score-77ab01",
        date="2026-11-20",
        model_version="tickets/3",
        started="2026-11-20T11:03:01+00:00",
        seconds=84.3,
        documents_per_second=11_832.4,
        rows_read=9_012,
        rows_scored=9_000,
        label_counts={"praise": 3_000, "billing": 6_000},
        score_histogram=[0, 0, 0, 0, 0, 1, 0, 0, 999, 8_000],
        most_certain=[document(truth=None)],
        least_certain=[document(truth=None, score=0.51)],
        rejections=rejections(),
        inputs=inputs(),
        warnings=["0.9% of the rows were rejected."],
        provenance={"engine": "folded"},
    )
    return dataclasses.replace(made_up, **changes)


def dataset_report(**changes: Any) -> DatasetReport:
    made_up = DatasetReport(
        fingerprint="0015589fbeb718da",
        finished="2026-11-20T10:50:12+00:00",
        complete=True,
        rows_read=9_012,
        statistics=statistics(),
        coverage=0.9688,
        frequent_tokens=["the", "退"],
        rejections=rejections(),
        inputs=inputs(),
        warnings=["12% of the documents of train are cut at max_tokens."],
        config={"text": {"max_tokens": 200}},
        provenance={"run": "20261120T105012Z-prepare-3fa2b1"},
    )
    return dataclasses.replace(made_up, **changes)
