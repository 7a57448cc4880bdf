"""Where prepare keeps its files while a dataset is made."""

import dataclasses

from pipeline.storage.files import join


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetStaging:
    """The paths below the staging folder of a dataset, which is deleted when it is complete."""

    folder: str

    @property
    def strata(self) -> str:
        """Where the splits of each label end."""
        return join(self.folder, "strata.json")

    @property
    def token_counts(self) -> str:
        """How often each token occurs in the training split."""
        return join(self.folder, "token_counts.parquet")

    @property
    def repeats(self) -> str:
        """The rows whose document id an earlier row has."""
        return join(self.folder, "repeats.parquet")

    @property
    def survey_counts(self) -> str:
        """What the survey counted: labels, duplicates, rejections."""
        return join(self.folder, "survey.json")

    @property
    def pieces(self) -> str:
        """The folder of the pieces that shards are joined from."""
        return join(self.folder, "pieces")

    @property
    def shards_list(self) -> str:
        """The list of the shards."""
        return join(self.folder, "shards.json")

    @property
    def rejected_list(self) -> str:
        """The list of the files of rejections."""
        return join(self.folder, "rejected.json")

    @property
    def encoding_counts(self) -> str:
        """What the encoding counted: rows by file, splits, rejections."""
        return join(self.folder, "encoding.json")
