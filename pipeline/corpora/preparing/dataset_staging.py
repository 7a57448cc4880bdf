"""The paths of the temporary files of prepare."""

import dataclasses

from pipeline.storage.files import join


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetStaging:
    """The paths below the staging folder of a dataset, which is deleted at the end of prepare."""

    folder: str

    @property
    def strata(self) -> str:
        """The positions where the splits of each label end (`Strata`)."""
        return join(self.folder, "strata.json")

    @property
    def token_counts(self) -> str:
        """How often each token occurs in the training split."""
        return join(self.folder, "token_counts.parquet")

    @property
    def repeats(self) -> str:
        """The rows that repeat the document id of an earlier row (`REPEATED_ROWS`)."""
        return join(self.folder, "repeats.parquet")

    @property
    def survey_counts(self) -> str:
        """The counts of the survey: labels, duplicates, rejections."""
        return join(self.folder, "survey.json")

    @property
    def pieces(self) -> str:
        """The folder of the pieces, which are joined to shards."""
        return join(self.folder, "pieces")

    @property
    def shards_list(self) -> str:
        """The list of the shards, as `write_staged_list` writes it."""
        return join(self.folder, "shards.json")

    @property
    def rejected_list(self) -> str:
        """The list of the files of rejections."""
        return join(self.folder, "rejected.json")

    @property
    def encoding_counts(self) -> str:
        """The counts of the encoding: rows by file, splits, rejections."""
        return join(self.folder, "encoding.json")
