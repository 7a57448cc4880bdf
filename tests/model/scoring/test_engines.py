import pytest

from model.scoring import engines
from model.scoring.engines import choose_engine


@pytest.mark.parametrize("engine", ["keras", "tensorflow", "folded"])
def test_a_named_engine_is_taken(engine):
    assert choose_engine(engine) == engine


def test_auto_is_folded_where_no_device_file_of_a_gpu_exists(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "GPU_DEVICES", (str(tmp_path / "nvidia0"),))
    assert choose_engine("auto") == "folded"


@pytest.mark.parametrize(("gpus", "chosen"), [([], "folded"), (["GPU:0"], "keras")])
def test_auto_asks_tensorflow_where_a_device_file_exists(monkeypatch, tmp_path, gpus, chosen):
    import tensorflow as tf

    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(engines, "GPU_DEVICES", (str(tmp_path / "nvidia0"),))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    assert choose_engine("auto") == chosen
