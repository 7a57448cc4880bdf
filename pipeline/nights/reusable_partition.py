"""Finds the partition whose rows a run may reuse: models, settings and code must be the same."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.parquet as pq

from model.bundle.bundle import Bundle
from model.config import ConfigError
from pipeline.nights.history import published_before, published_run
from pipeline.nights.partition import Partition, run_folder
from pipeline.storage.files import Files, join, read_json
from pipeline.storage.manifest import Manifest, read_manifest

logger = logging.getLogger("limelight")

PREVIOUS = "previous"
IGNORED_KEYS = ("threads",)  # of `scoring`: they change the speed but not the rows


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReusablePartition:
    """A published partition whose rows a run may reuse; every worker receives it.

    Attributes:
        date: the date of the partition.
        run_id: the run that published it.
        paths: its Parquet files.
        labels: the label names, by index.
    """

    date: str
    run_id: str
    paths: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def source(self) -> dict[str, str]:
        """The keys that identify the partition in the manifest of a run."""
        return {"date": self.date, "run_id": self.run_id}

    def count_rows(self, files: Files) -> int:
        """The number of rows in its files, from their footers."""
        rows = 0
        for path in self.paths:
            with files.open(path) as stream:
                rows += pq.read_metadata(stream).num_rows
        return rows


def find_reusable_partition(
    run: Manifest, reuse_from: str, bundles: Sequence[Bundle], *, partition: Partition, files: Files
) -> ReusablePartition | None:
    """Finds the partition whose rows can be reused; if there is none, logs why and returns None.

    Args:
        run: this run; its `scoring` section and code are compared with the earlier run's.
        reuse_from: a date, or `previous` for the last complete one before this date.
        bundles: the model and the further models.
        partition: the partition of this run.
        files: the filesystem of the output.

    Raises:
        ConfigError: if `reuse_from` is a date without a complete partition.
    """
    night = _find_night(files, partition, reuse_from)
    if night is None:
        logger.info("no earlier night is complete: every document is scored")
        return None
    earlier, run_id = night
    success = read_json(files, earlier.success)
    paths = tuple(join(earlier.predictions, item["file"]) for item in success["files"])
    if not paths:
        logger.info("%s: no row is reused, because the partition has no rows", earlier.predictions)
        return None
    then = read_manifest(files, run_folder(earlier.output, run_id))
    different = _find_differences(run.as_dict(), then)
    if not _have_same_models(files, paths[0], bundles):
        different.append("model")
    if different:
        logger.info(
            "%s: no row is reused, because it was made with another %s",
            earlier.predictions,
            " and another ".join(different),
        )
        return None
    return ReusablePartition(
        date=earlier.date, run_id=run_id, paths=paths, labels=bundles[0].labels
    )


def _find_night(
    files: Files, partition: Partition, reuse_from: str
) -> tuple[Partition, str] | None:
    """The partition that the flag names, and the run that published it."""
    if reuse_from == PREVIOUS:
        return next(iter(published_before(files, partition, nights=1)), None)
    earlier = Partition(output=partition.output, date=reuse_from)
    run_id = published_run(files, earlier)
    if run_id is None:
        raise ConfigError(
            f"--reuse-from {reuse_from}: expected a complete partition at {earlier.predictions}, "
            "got none. Give another date, or previous."
        )
    return earlier, run_id


def _find_differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """Names what differs between two manifests: the scoring section, the version of the code."""
    different = []
    if _scoring_of(now) != _scoring_of(then):
        different.append("scoring section")
    if now["code_version"] != then.get("code_version"):
        different.append("version of the code")
    return different


def _scoring_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The `scoring` section of a run, without the keys that change no row."""
    section = manifest.get("config", {}).get("scoring") or {}
    return {name: value for name, value in section.items() if name not in IGNORED_KEYS}


def _have_same_models(files: Files, path: str, bundles: Sequence[Bundle]) -> bool:
    """Whether a file of predictions was made by these models."""
    with files.open(path) as stream:
        metadata = pq.read_schema(stream).metadata or {}
    found = {
        value.decode() for name, value in metadata.items() if name.endswith(b"model_fingerprint")
    }
    return found == {str(bundle.manifest["fingerprint"]) for bundle in bundles}
