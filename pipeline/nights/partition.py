"""The paths of the files of one output and date."""

import dataclasses

from model.config import ConfigError
from pipeline.config.sections import require_folder
from pipeline.storage.files import base_name, join

SUCCESS = "_SUCCESS"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Partition:
    """The folders of one output and date.

    Raises:
        ConfigError: if the output is not the path of a folder.
    """

    output: str
    date: str

    def __post_init__(self) -> None:
        try:
            require_folder(self.output, "output")
        except ValueError as error:
            raise ConfigError(f"{error}. Choose another folder.") from None

    @property
    def predictions(self) -> str:
        """The folder of the date's predictions."""
        return join(self.output, "predictions", f"dt={self.date}")

    @property
    def success(self) -> str:
        """The file that exists only while the predictions are complete."""
        return join(self.predictions, SUCCESS)

    @property
    def rejected(self) -> str:
        """The folder of the date's rejections."""
        return join(self.output, "rejected", f"dt={self.date}")

    def claim(self, run_id: str) -> str:
        """The file of a run's claim to the date; with `*`, a glob for the claims of all runs."""
        return join(self.output, "leases", f"dt={self.date}.{run_id}.json")

    def run_of_claim(self, path: str) -> str:
        """The id of the run in the path of a claim."""
        return base_name(path).removeprefix(f"dt={self.date}.").removesuffix(".json")


def run_folder(output: str, run_id: str) -> str:
    """The folder of a scoring run: its manifest, its report and, until the commit, its rows."""
    return join(output, "runs", run_id)


def staging_folder(output: str, run_id: str) -> str:
    """The folder that a scoring run writes to before it commits."""
    return join(run_folder(output, run_id), "staging")
