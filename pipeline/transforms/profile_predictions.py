"""Scored documents -> counts of the profile that drift is told by."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.corpora.scoring.corpus_profile import profile_predictions


class ProfilePredictions(beam.PTransform):
    """`(documents, predictions)` pairs of batches -> nested counts."""

    def expand(self, pairs: beam.PCollection) -> beam.PCollection:
        """One count a batch."""
        return pairs | beam.MapTuple(_profile)


def _profile(documents: pa.RecordBatch, predictions: pa.RecordBatch) -> dict[str, Any]:
    return {"profile": profile_predictions(predictions)}
