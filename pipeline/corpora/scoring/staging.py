"""The paths where a run that scores a corpus keeps its files until it publishes them."""

import dataclasses

from pipeline.storage.files import join


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringStaging:
    """The paths below the staging folder of a run of score, evaluate or compare.

    Beside each folder of Parquet files is a JSON list of the files that belong to the run: a
    retried worker may have left other files in the folder.
    """

    folder: str

    @property
    def tables(self) -> str:
        """The folder of the rows that were read from BigQuery, as JSON lines."""
        return join(self.folder, "tables")

    @property
    def counts(self) -> str:
        """The nested counts of the whole run."""
        return join(self.folder, "counts.json")

    @property
    def predictions(self) -> str:
        """The folder of predictions."""
        return join(self.folder, "predictions")

    @property
    def predictions_list(self) -> str:
        """The list of the files of predictions."""
        return join(self.folder, "predictions.json")

    @property
    def rejected(self) -> str:
        """The folder of rejections."""
        return join(self.folder, "rejected")

    @property
    def rejected_list(self) -> str:
        """The list of the files of rejections."""
        return join(self.folder, "rejected.json")

    @property
    def gallery(self) -> str:
        """The most and the least certain documents, one JSON object per line."""
        return join(self.folder, "gallery.jsonl")

    @property
    def flips(self) -> str:
        """The folder of documents to which two models give different labels."""
        return join(self.folder, "flips")

    @property
    def flips_list(self) -> str:
        """The list of the files of flips."""
        return join(self.folder, "flips.json")

    def labeled(self, model: str) -> str:
        """The folder of true labels beside the probabilities of a model: `old` or `new`."""
        return join(self.folder, f"labeled-{model}")

    def labeled_list(self, model: str) -> str:
        """The list of the files of labeled predictions of a model."""
        return join(self.folder, f"labeled-{model}.json")
