from pathlib import Path

import pytest

from tests.benchmarks import drift_experiment


@pytest.mark.slow
@pytest.mark.skipif(
    not (drift_experiment.CORPORA / "sms_spam").exists(), reason="needs CORPORA with sms_spam"
)
def test_the_default_threshold_tells_drift_from_chance(tmp_path: Path) -> None:
    assert drift_experiment.measure(tmp_path)
