from pathlib import Path

import pytest

from tests.benchmarks.drift_experiment import measure
from tests.benchmarks.reviews import corpus_folder

SMS_SPAM, ZH_SHOPPING = corpus_folder("sms_spam"), corpus_folder("zh_shopping")


@pytest.mark.slow
@pytest.mark.skipif(
    SMS_SPAM is None or ZH_SHOPPING is None,
    reason="CORPORA does not name the folder of sms_spam/ and zh_shopping/",
)
def test_the_default_threshold_tells_drift_from_chance(tmp_path: Path) -> None:
    assert measure(tmp_path, sms_spam=SMS_SPAM, zh_shopping=ZH_SHOPPING)
