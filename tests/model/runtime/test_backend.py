"""The backend comes from the environment; another one than Keras already runs on is refused."""

import os
import subprocess
import sys

import pytest

from model.runtime.backend import backend_name, use_backend


@pytest.mark.parametrize(
    ("value", "expected"), [("", "tensorflow"), ("tensorflow", "tensorflow"), ("jax", "jax")]
)
def test_the_variable_names_the_backend(monkeypatch, value, expected):
    monkeypatch.setenv("KERAS_BACKEND", value)
    assert backend_name() == expected


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ValueError, match="KERAS_BACKEND: expected tensorflow or jax, got 'torch'"):
        backend_name()


def test_a_process_whose_keras_runs_on_another_backend_is_refused(monkeypatch):
    import keras

    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())
    other = "jax" if keras.backend.backend() == "tensorflow" else "tensorflow"
    with pytest.raises(RuntimeError, match=f"expected a worker whose Keras runs on {other}"):
        use_backend(other)


def test_keras_imported_later_runs_on_the_chosen_backend():
    script = (
        "from model.runtime.backend import use_backend; use_backend('jax');"
        "import keras; print(keras.backend.backend())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "jax", done.stderr[-2000:]


def test_keras_takes_no_settings_from_a_file(tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text('{"floatx": "float64"}')
    script = (
        "from model.runtime.backend import use_backend; use_backend('jax');"
        "import keras; print(keras.config.floatx())"
    )
    environment = {name: os.environ[name] for name in os.environ.keys() - {"KERAS_HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "float32", done.stderr[-2000:]
