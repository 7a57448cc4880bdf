"""WriteOneFile: one call has all elements."""

import json
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.transforms.write_one_file import WriteOneFile
from tests.pipeline.transforms.local_beam import local_pipeline


@pytest.mark.parametrize("elements", [[], [7], list(range(1000))], ids=["none", "one", "many"])
def test_one_call_has_all_elements(elements: list[int], tmp_path: Path) -> None:
    def write(items: list[int]) -> int:
        with (tmp_path / "calls").open("a", encoding="utf-8") as calls:
            calls.write(json.dumps(sorted(items)) + "\n")
        return len(items)

    with local_pipeline() as root:
        count = root | beam.Create(elements) | beam.Reshuffle() | WriteOneFile(write)
        assert_that(count, equal_to([len(elements)]))
    lines = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [elements]
