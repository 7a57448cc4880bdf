"""How many rows a run reused: counted batch by batch, then described in the manifest."""

from collections.abc import Mapping
from typing import Any

from pipeline.nights.reusable_partition import ReusablePartition
from pipeline.storage.files import Files


def count_reuse(*, reused: int, known: int) -> dict[str, Any]:
    """The counts of one batch.

    Args:
        reused: documents whose row was copied from the earlier night.
        known: documents whose id is in the earlier night, with the same text or another one.
    """
    return {"reuse": {"reused": reused, "known": known}}


def describe_reuse(
    reusable: ReusablePartition, counts: Mapping[str, Any], *, used: int, files: Files
) -> dict[str, Any]:
    """The `reuse` of a manifest.

    Args:
        reusable: the partition whose rows were reused.
        counts: the counts of the run; they hold the sum of `count_reuse` over its batches.
        used: rows of the corpus that were not rejected.
        files: the filesystem of the partition.

    Returns:
        The partition's `date` and `run_id`, and how many rows were reused (`carried`), `scored`,
        and `removed` since that night.
    """
    counted = counts.get("reuse", {})
    reused = counted.get("reused", 0)
    return {
        **reusable.source,
        "carried": reused,  # an older name; the key stays because readers of manifests use it
        "scored": used - reused,
        "removed": max(reusable.count_rows(files) - counted.get("known", 0), 0),
    }
