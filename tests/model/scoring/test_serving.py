"""The SavedModel: raw strings in, every output out, without this package."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from model.bundle.manifest import describe_files
from model.scoring.loading import load_scorer
from tests.model.bundles import texts_array


def test_it_runs_where_only_tensorflow_is_imported(served, tmp_path):
    script = """
import json, sys
import tensorflow as tf, tensorflow_text
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
outputs = serve(text=tf.constant(json.loads(sys.argv[2])))
assert not {"model", "pipeline"} & set(sys.modules), "imported more"
print(json.dumps({
    name: value.numpy().astype(str).tolist() if value.dtype == tf.string else value.numpy().tolist()
    for name, value in outputs.items() if name not in ("tokens", "label")
} | {name: [[t.decode() for t in row] for row in outputs[name].numpy().reshape(2, -1)]
     for name in ("tokens", "label")}))
"""
    texts = ["很好 👍🏽", "the the the the the the the the bad"]
    done = subprocess.run(
        [sys.executable, "-c", script, str(served.folder / "serving"), json.dumps(texts)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outputs = json.loads(done.stdout)
    expected, _ = load_scorer(served, engine="folded").score(texts_array(texts))
    rows = expected.to_pylist()
    assert [row["token_count"] for row in rows] == outputs["token_count"] == [3, 6]
    for row, (tokens, attention) in enumerate(
        zip(outputs["tokens"], outputs["attention"], strict=True)
    ):
        count = outputs["token_count"][row]
        assert tokens == rows[row]["tokens"] + [""] * (6 - count)
        np.testing.assert_allclose(attention[:count], rows[row]["attention"], atol=1e-5)
        assert attention[count:] == [0] * (6 - count)
        assert outputs["label"][row] == [rows[row]["label"]]
    assert outputs["truncated_tokens"] == [0, 3]
    np.testing.assert_allclose(
        outputs["probabilities"], [row["probabilities"] for row in rows], atol=1e-5
    )


def test_the_command_line_tool_shows_its_signature(served):
    tool = Path(sys.executable).with_name("saved_model_cli")
    command = [str(tool), "show", "--dir", str(served.folder / "serving"), "--all"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("text", "label", "score", "probabilities", "tokens", "attention", "oov_tokens"):
        assert f"['{name}'] tensor_info" in shown


def test_a_changed_graph_is_refused_by_name(served, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(served.folder, copy)
    assert "serving/saved_model.pb" in describe_files(copy)
    graph = copy / "serving" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\xff")
    with pytest.raises(BundleError, match=r"serving/saved_model\.pb: expected SHA-256"):
        load_bundle(copy)
