"""README's table of results: rows are added in order, replaced, and otherwise kept."""

import pytest

from tests.benchmarks.results import BEGIN, END, NAMED, describe, update_table

PAGE = f"# Title\n\n{BEGIN}\n{END}\n\nThe rest.\n"


def test_a_row_has_mean_and_sample_deviation():
    row = describe("trec", [0.90, 0.92, 0.94], seconds=150)
    published = "0.938 with GloVe (Zhou et al., COLING)"
    assert row == ("`trec`", "accuracy", "0.9200 ± 0.0200", "3", "2 min", published)


def test_rows_are_sorted_replaced_and_kept():
    trec = describe("trec", [0.9, 0.9], seconds=60)
    guide = describe("guide_bilstm", [0.8, 0.8], seconds=60)
    page = update_table(update_table(PAGE, [trec]), [guide])
    better = describe("trec", [0.95, 0.95], seconds=60)
    page = update_table(page, [better])
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert [line.split("|")[1].strip() for line in lines] == ["`guide_bilstm`", "`trec`"]
    assert "0.9500 ± 0.0000" in lines[1]
    assert "0.9000" not in page
    assert page.startswith("# Title\n")
    assert page.endswith("\n\nThe rest.\n")


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="expected a place between"):
        update_table("# Title\n", [])


def test_every_named_config_exists(pytestconfig):
    folder = pytestconfig.rootpath / "configs"
    assert all((folder / f"{named.config}.yaml").is_file() for named in NAMED.values())
