"""The tables of the scaling benchmark: medians, and what is calculated from them."""

from tests.benchmarks.bench_scaling import BEGIN, END, Measured, describe, extrapolate
from tests.benchmarks.readme import README, replace_between, text_between


def test_large_corpora_follow_from_the_speed_of_a_core():
    head, million, hundred_million, ten_billion = extrapolate(1_000)
    assert head == ("documents", "workers of 4 cores", "hours", "cost")
    assert million == ("1,000,000", "1", "0.07", "1 core hours")
    assert hundred_million == ("100,000,000", "50", "0.14", "28 core hours")
    assert ten_billion == ("10,000,000,000", "1,000", "0.69", "2,778 core hours")


def test_the_speed_is_that_of_the_slowest_core_at_the_largest_size():
    runs = [
        Measured(100, 1, 1.0, 3.0),
        Measured(1_600, 1, 2.0, 4.0),
        Measured(1_600, 1, 8.0, 10.0),
        Measured(1_600, 1, 4.0, 6.5),
        Measured(1_600, 2, 2.5, 5.5),
    ]
    lines = describe(runs)
    assert "| 1,600 | 1 | 400 | 400 | 4.0 s | 2.0 s |" in lines
    assert "| 1,600 | 2 | 640 | 320 | 2.5 s | 3.0 s |" in lines
    assert "At 320 documents a second a core:" in lines


def test_readme_has_the_comments_around_the_tables():
    page = README.read_text(encoding="utf-8")
    written = replace_between(page, BEGIN, END, ["| a |", "| --- |"])
    assert text_between(written, BEGIN, END) == "\n| a |\n| --- |\n"
    assert written.split(BEGIN)[0] == page.split(BEGIN)[0]
    assert written.split(END)[1] == page.split(END)[1]
