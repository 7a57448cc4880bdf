"""Scored documents -> the counts of the profile from which drift is measured."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.corpora.scoring.corpus_profile import profile_predictions


class ProfilePredictions(beam.PTransform):
    """`(documents, predictions)` pairs of batches -> nested counts."""

    def expand(self, pairs: beam.PCollection) -> beam.PCollection:
        """Yields the counts of each batch; `CountRows` adds them up."""
        return pairs | beam.MapTuple(_profile)


def _profile(documents: pa.RecordBatch, predictions: pa.RecordBatch) -> dict[str, Any]:
    return {"profile": profile_predictions(predictions)}
