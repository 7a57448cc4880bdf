from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.config.sections import ScoringConfig
from pipeline.corpora.reading.accounting import count_used
from pipeline.corpora.scoring.prediction_counts import count_predictions
from pipeline.corpora.scoring.predictions import PredictionContext
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.storage.beam_files import BeamFiles
from pipeline.transforms.score_documents import ScoreDocuments
from tests.pipeline.batches import make_documents
from tests.pipeline.transforms.local_beam import local_pipeline, name_rows

FILES = BeamFiles()
CONFIG = ScoringConfig(engine="keras")
CONTEXT = PredictionContext(run_id="run")
BATCHES = [
    (0, make_documents({"text": "so good"}, {"text": "\u3000"}, {"text": "Bad 日本"})),
    (4, make_documents({"text": " "})),
]


def test_each_batch_is_scored_as_by_score_documents(model: str) -> None:
    scorer = shared_scorers(FILES, [model], CONFIG)[0]
    expected = [
        (unit, scored)
        for unit, documents in BATCHES
        for scored in score_documents(scorer, documents, context=CONTEXT)
    ]
    [predictions, _] = [scored.predictions for _, scored in expected]
    assert predictions.num_rows == 2
    with local_pipeline() as root:
        scored = root | beam.Create(BATCHES) | ScoreDocuments(model, CONFIG, "run", FILES)
        rows = scored.predictions | "Rows" >> beam.MapTuple(
            lambda unit, batch: (unit, batch.to_pylist())
        )
        assert_that(rows, equal_to([(0, predictions.to_pylist())]), label="predictions")
        pairs = scored.documents | "Pairs" >> beam.MapTuple(
            lambda documents, batch: (
                documents.column("text").to_pylist(),
                batch.column("token_count").to_pylist(),
            )
        )
        assert_that(pairs, equal_to([(["so good", "Bad 日本"], [2, 3])]), label="documents")
        rejections = scored.rejections | "Rejections" >> beam.FlatMap(
            name_rows, "document_id", "reason"
        )
        assert_that(
            rejections,
            equal_to([(0, "d1", "empty_text"), (4, "d0", "empty_text")]),
            label="rejections",
        )
        counts = [
            count
            for _, each in expected
            for count in (count_used(each.documents), count_predictions(each.predictions))
        ]
        assert_that(scored.counts, equal_to(counts), label="counts")


def test_a_missing_model_fails_the_pipeline(tmp_path: Path) -> None:
    root = local_pipeline()
    missing = str(tmp_path / "none")
    _ = root | beam.Create(BATCHES) | ScoreDocuments(missing, CONFIG, "run", FILES)
    with pytest.raises(Exception, match="expected a model directory with a readable manifest"):
        root.run()
