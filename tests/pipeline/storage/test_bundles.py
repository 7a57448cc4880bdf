import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from model.bundle.errors import BundleError
from model.config import ConfigError
from model.scoring.scorer import Scorer
from pipeline.config.sections import ScoringConfig
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.bundles import open_bundle
from pipeline.storage.folders import download_folder, upload_folder
from tests.pipeline import object_store
from tests.pipeline.tiny_model import LABELS, write_model

FILES = BeamFiles()

OPEN_A_COPY = """
import os, sys, tempfile
from tests.pipeline.storage.test_bundles import FILES, open_bundle, upload_folder
upload_folder(FILES, sys.argv[1], to="objects://b/model")
for _ in range(3):
    open_bundle(FILES, "objects://b/model")
print(len(os.listdir(tempfile.gettempdir())))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_model(tmp_path_factory.mktemp("models") / "1")


def test_a_local_model_is_opened_where_it_lies(folder: str) -> None:
    bundle = open_bundle(FILES, folder)
    assert bundle.folder == Path(folder)
    assert bundle.labels == LABELS


def test_a_model_elsewhere_is_verified_from_a_copy(folder: str) -> None:
    object_store.OBJECTS.clear()
    for name in ("model", "damaged"):
        upload_folder(FILES, folder, to=f"objects://b/{name}")
    bundle = open_bundle(FILES, "objects://b/model")
    assert bundle.folder.is_dir()
    assert bundle.labels == LABELS
    assert open_bundle(FILES, "objects://b/model").folder == bundle.folder
    object_store.OBJECTS["objects://b/damaged/labels.txt"] += b"!"
    with pytest.raises(BundleError, match=r"labels\.txt"):
        open_bundle(FILES, "objects://b/damaged")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("evil.so", r"objects://b/more/evil\.so: expected only files that the manifest lists"),
        ("../../outside", r"expected only files that the manifest lists"),
        ("serving/assets/a", r"expected only files that the manifest lists"),
    ],
)
def test_an_object_that_the_manifest_does_not_list_is_refused_before_anything_is_copied(
    folder: str, name: str, message: str
) -> None:
    object_store.OBJECTS.clear()
    upload_folder(FILES, folder, to="objects://b/more")
    object_store.OBJECTS[f"objects://b/more/{name}"] = b"x"
    with pytest.raises(BundleError, match=message):
        open_bundle(FILES, "objects://b/more")


def test_an_object_that_stands_for_a_folder_does_no_harm(folder: str) -> None:
    object_store.OBJECTS.clear()
    upload_folder(FILES, folder, to="objects://b/console")
    object_store.OBJECTS["objects://b/console/"] = b""
    object_store.OBJECTS["objects://b/console/manifest.json.new"] = b"{"
    assert open_bundle(FILES, "objects://b/console").labels == LABELS


def test_no_name_of_an_object_leads_out_of_the_copy(tmp_path: Path) -> None:
    object_store.OBJECTS.clear()
    object_store.OBJECTS["objects://b/encoder/../../outside"] = b"x"
    with pytest.raises(ConfigError, match=r"objects://b/encoder: expected names of files below"):
        download_folder(FILES, "objects://b/encoder", to=str(tmp_path / "a" / "b"))
    assert not list(tmp_path.iterdir())


def test_the_copy_of_a_model_is_deleted_when_the_process_ends(folder: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_A_COPY, folder],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1\n", done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["objects://b/none", "/nowhere/at/all"])
def test_a_folder_without_a_model_is_an_error(where: str) -> None:
    object_store.OBJECTS.clear()
    with pytest.raises(BundleError, match=f"^{where}.*: expected a model directory"):
        open_bundle(FILES, where)


def test_threads_share_one_scorer(folder: str) -> None:
    scorers: list[Scorer] = []

    def ask() -> None:
        scorers.append(shared_scorers(FILES, [folder], ScoringConfig(engine="keras"))[0])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scorers) == 8
    assert len({id(scorer) for scorer in scorers}) == 1
