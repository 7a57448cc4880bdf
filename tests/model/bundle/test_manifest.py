import json

import pytest

from model.bundle.errors import BundleError
from model.bundle.file_names import HDF5_WEIGHTS, WEIGHTS
from model.bundle.loading import load_bundle
from tests.model.bundles import seal


def test_a_newer_schema_is_refused(copy):
    seal(copy, schema_version=99)
    with pytest.raises(BundleError, match="expected schema version 4 or older, got 99"):
        load_bundle(copy)


def test_a_manifest_that_leaves_a_file_out_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["labels.txt"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"to list labels.txt"):
        load_bundle(copy)


@pytest.mark.parametrize(("names", "got"), [((), "none"), ((WEIGHTS, HDF5_WEIGHTS), "both")])
def test_a_manifest_with_no_weights_file_or_two_is_refused(copy, names, got):
    manifest = json.loads((copy / "manifest.json").read_text())
    described = manifest["files"].pop(WEIGHTS)
    manifest["files"].update(dict.fromkeys(names, described))
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=rf"manifest\.json: .* {WEIGHTS} or, .*, got {got}\."):
        load_bundle(copy)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": "x", "files": {}}'])
def test_a_damaged_manifest_is_refused(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match="expected the manifest of a model"):
        load_bundle(copy)


def test_the_manifest_of_another_run_is_named(copy):
    (copy / "manifest.json").write_text('{"stage": "score", "status": "done"}')
    with pytest.raises(BundleError, match=r"got that of a run of score\. Give the folder of one"):
        load_bundle(copy)


def test_no_model_directory_is_one_clear_line(tmp_path):
    with pytest.raises(
        BundleError, match=r"manifest.json: expected a model directory .* Give"
    ) as error:
        load_bundle(tmp_path / "nothing")
    assert "\n" not in str(error.value)
