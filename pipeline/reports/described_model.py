"""What a model directory must hold so that its report can be made again."""

import os
import re
from collections.abc import Mapping
from typing import Any

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import GALLERY, HISTORY, MANIFEST, METRICS, STATISTICS
from model.bundle.manifest_schema import TRAINED_SCHEMA
from model.bundle.schema_checks import check_schema
from pipeline.storage.files import base_name, join
from pipeline.storage.folders import is_local


def check_described(bundle: Bundle) -> None:
    """Checks that a model has what its report shows.

    Raises:
        BundleError: naming the file, or the key of the manifest, that it lacks.
    """
    for name in (METRICS, STATISTICS, GALLERY, HISTORY):
        if name not in bundle.manifest["files"]:
            raise BundleError(
                f"{bundle.folder / name}: expected this file, which a report shows, got none. "
                "Train the model again."
            )
    check_schema(TRAINED_SCHEMA, bundle.manifest, where=str(bundle.folder / MANIFEST))


def rejections_beside(model: str, manifest: Mapping[str, Any]) -> str | None:
    """The folder of the rejections of a model's dataset; None if it has no name of a dataset.

    It is looked for only in the workspace in which the model lies. The path in the manifest is not
    followed: in a model from elsewhere it could be that of any folder, whose rows would be shown.

    Args:
        model: its folder, `<workspace>/models/<name>/<version>`.
        manifest: of the model.
    """
    dataset = base_name(manifest["dataset"])
    if not re.fullmatch("[0-9a-f]{16}", dataset):
        return None
    folder = os.path.abspath(model) if is_local(model) else model.rstrip("/")
    workspace = folder.rsplit("/", 3)[0]
    return join(workspace, "datasets", dataset, "rejected")
