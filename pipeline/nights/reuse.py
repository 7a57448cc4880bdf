"""reuse: which earlier partition a run may carry rows from, and how many it carried."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.parquet as pq

from model.bundle.bundle import Bundle
from model.config import ConfigError
from pipeline.nights.commit import SUCCESS, Partition, published_run, run_folder
from pipeline.nights.earlier import EarlierFiles
from pipeline.nights.history import published_before
from pipeline.storage.files import Files, join, read_json
from pipeline.storage.manifest import Manifest, read_manifest

logger = logging.getLogger("limelight")

PREVIOUS = "previous"
HARMLESS = ("threads",)  # keys of `scoring` that change no row


def find_earlier(
    run: Manifest, reuse_from: str, bundles: Sequence[Bundle], *, partition: Partition, files: Files
) -> EarlierFiles | None:
    """The files of the partition to carry rows from; None, and why in the log, if it is unfit.

    Args:
        run: this run; its config and model are compared with the earlier run's.
        reuse_from: a date, or `previous` for the last complete one before this date.
        bundles: the model and its further ones.
        partition: of this run.
        files: where everything lies.

    Raises:
        ConfigError: if a date is given that has no complete partition.
    """
    found = _find_night(files, partition, reuse_from)
    if found is None:
        logger.info("no earlier night is complete: every document is scored")
        return None
    earlier, run_id = found
    before = read_manifest(files, run_folder(earlier.output, run_id))
    success = read_json(files, join(earlier.predictions, SUCCESS))
    paths = tuple(join(earlier.predictions, item["file"]) for item in success["files"])
    now = {"scoring": run.config["scoring"], "code": run.as_dict()["code_version"]}
    then = {"scoring": before.get("config", {}).get("scoring"), "code": before.get("code_version")}
    different = [name for name in now if _decisive(now[name]) != _decisive(then[name])]
    if paths and not _same_models(files, paths[0], bundles):
        different.append("model")
    if different or not paths:
        why = f"its {' and '.join(different)} differ" if different else "it is empty"
        logger.info("%s: nothing is carried forward, %s", earlier.predictions, why)
        return None
    run.extra = {**run.extra, "reuse": {"date": earlier.date, "run_id": run_id}}
    return EarlierFiles(paths=paths, labels=bundles[0].labels)


def describe_reuse(
    run: Manifest, earlier: EarlierFiles, counts: Mapping[str, Any], *, files: Files
) -> dict[str, Any]:
    """The `reuse` of a manifest: rows scored, carried, and removed since the earlier night."""
    counted = counts.get("reuse", {})
    carried = counted.get("carried", 0)
    return {
        **run.extra["reuse"],
        "carried": carried,
        "scored": run.rows["used"] - carried,
        "removed": max(_count_rows(files, earlier) - counted.get("known", 0), 0),
    }


def _find_night(
    files: Files, partition: Partition, reuse_from: str
) -> tuple[Partition, str] | None:
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


def _decisive(value: Any) -> Any:
    """A section without the keys that change no row."""
    if isinstance(value, Mapping):
        return {name: item for name, item in value.items() if name not in HARMLESS}
    return value


def _same_models(files: Files, path: str, bundles: Sequence[Bundle]) -> bool:
    """Whether a file of predictions was made by these models."""
    with files.open(path) as stream:
        metadata = pq.read_schema(stream).metadata or {}
    found = {
        value.decode() for name, value in metadata.items() if name.endswith(b"model_fingerprint")
    }
    return found == {str(bundle.manifest["fingerprint"]) for bundle in bundles}


def _count_rows(files: Files, earlier: EarlierFiles) -> int:
    rows = 0
    for path in earlier.paths:
        with files.open(path) as stream:
            rows += pq.read_metadata(stream).num_rows
    return rows
