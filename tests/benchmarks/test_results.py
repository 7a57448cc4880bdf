"""README's table of results: new rows are added in order, old ones replaced or kept."""

from pathlib import Path

import pytest

from tests.benchmarks import results
from tests.benchmarks.results import (
    BEGIN,
    END,
    NAMED,
    Measured,
    describe,
    find_records,
    measure_row,
    recipe_of,
    update_table,
)
from tests.json_lines import write_json_lines

PAGE = f"# Title\n\n{BEGIN}\n{END}\n\nThe rest.\n"


def measured(*scores: float) -> list[Measured]:
    """Measurements where the baseline has an accuracy of 0.85, with a tenth to either side."""
    return [
        Measured(score=score, baseline=0.85, lead=(0.85 - score, 0.75 - score, 0.95 - score))
        for score in scores
    ]


def test_a_row_has_mean_and_sample_deviation_and_the_baseline():
    row = describe("trec", measured(0.90, 0.92, 0.94), seconds=150)
    baseline = "0.8500, -7.0 points (-17.0 to +3.0)"
    published = "0.938 with GloVe (Zhou et al., COLING)"
    assert row == ("`trec`", "accuracy", "0.9200 ± 0.0200", baseline, "3", "2 min", published)


def test_only_accuracies_have_an_interval():
    assert describe("semeval_best", measured(0.7, 0.8), seconds=60)[3] == "0.8500"


def test_rows_are_sorted_replaced_and_kept():
    trec = describe("trec", measured(0.9, 0.9), seconds=60)
    guide = describe("guide_bilstm", measured(0.8, 0.8), seconds=60)
    page = update_table(update_table(PAGE, [trec]), [guide])
    better = describe("trec", measured(0.95, 0.95), seconds=60)
    page = update_table(page, [better])
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert [line.split("|")[1].strip() for line in lines] == ["`guide_bilstm`", "`trec`"]
    assert "0.9500 ± 0.0000" in lines[1]
    assert "0.9000" not in page
    assert page.startswith("# Title\n")
    assert page.endswith("\n\nThe rest.\n")


def test_a_page_without_the_comments_around_the_table_is_refused():
    with pytest.raises(ValueError, match="expected the comments"):
        update_table("# Title\n", [])


def test_seeds_that_were_trained_are_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []

    def train(named: results.Named, *, seed: int, vectors: Path) -> str:
        trained.append(seed)
        return str(seed)

    monkeypatch.setattr(results, "RECORDS", tmp_path / "runs" / "results.jsonl")
    monkeypatch.setattr(results, "train", train)
    monkeypatch.setattr(
        results, "read_scores", lambda folder, metric: measured(int(folder) / 10)[0]
    )
    for seeds, score in ((3, "0.2000 ± 0.1000"), (5, "0.3000 ± 0.1581")):
        row = measure_row("sms_spam", seeds=seeds)
        assert (row[2], row[4]) == (score, str(seeds))
    assert trained == [1, 2, 3, 4, 5]


def test_records_of_another_recipe_or_row_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    records = [
        {"row": "trec", "recipe": "a", "seed": 1, "score": 0.5, "baseline": 0.5},
        {"row": "trec", "recipe": "b", "seed": 1, "score": 0.6, "baseline": 0.5},
        {"row": "trec", "recipe": "b", "seed": 2, "score": 0.6},
        {"row": "sms_spam", "recipe": "b", "seed": 2, "score": 0.7, "baseline": 0.5},
    ]
    write_json_lines(path, records)
    assert find_records(path, "trec", recipe="b") == {1: records[1]}
    assert find_records(path, "trec", recipe="c") == {}
    assert find_records(tmp_path / "none", "trec", recipe="a") == {}


def test_other_vectors_are_another_recipe(tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    digests = []
    for text in ("a", "b", "a"):
        vectors.write_text(text)
        digests.append(recipe_of(NAMED["trec with vectors"], vectors=vectors))
    assert digests[0] == digests[2] != digests[1]
    assert recipe_of(NAMED["trec"], vectors=vectors) not in digests


def test_every_named_config_exists(pytestconfig):
    folder = pytestconfig.rootpath / "configs"
    assert all((folder / f"{named.config}.yaml").is_file() for named in NAMED.values())
