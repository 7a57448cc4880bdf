"""Trains the named configs and writes what they reach into README's table of results.

    CORPORA=... python -m tests.benchmarks.results [--only zhou2016_semeval] [--seeds 5]

A config whose corpus is not below `CORPORA` is passed over. Every config is trained with
each seed; the epoch of each is chosen on the validation part of the training data, and the
table gives mean and standard deviation of the test scores over the seeds. A test set
chooses nothing. Rows of configs that are not trained now stay as they are.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.readme import README, replace_between, table, text_between

BEGIN, END = "<!-- results: make results -->", "<!-- end of results -->"
HEADER = ("config", "test score", "mean ± deviation", "seeds", "time", "published")


class Named(NamedTuple):
    """A named config: the corpus it needs, what is measured, and what others report."""

    corpus: str
    metric: str
    published: str


NAMED = {
    "guide_bilstm": Named("imdb", "accuracy", "0.72 (guide)"),
    "guide_attention_3d": Named("imdb", "accuracy", "none"),
    "guide_attention_2d": Named("imdb", "accuracy", "0.99, of training (guide)"),
    "stackoverflow_binary": Named("imdb", "accuracy", "none"),
    "keras_attention_imdb": Named("imdb", "accuracy", "0.876, highest of epochs (keras-attention)"),
    "zhou2016_semeval": Named("semeval2010_task8", "semeval_f1", "0.840 with GloVe (Zhou et al.)"),
    "trec": Named("trec", "accuracy", "0.938 with GloVe (Zhou et al., COLING)"),
    "sms_spam": Named("sms_spam", "accuracy", "none"),
    "tweet_sentiment": Named("tweet_sentiment", "accuracy", "none"),
    "zh_shopping": Named("zh_shopping", "accuracy", "none"),
}


def train(name: str, *, seeds: int) -> str:
    """Trains a config with seeds 1 to `seeds` and returns the folder of its model."""
    command = [sys.executable, "-m", "pipeline", "train", "--config", f"configs/{name}.yaml"]
    command += ["--set", f"training.seeds={list(range(1, seeds + 1))}"]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    [folder] = re.findall(r"^model +(\S+)$", made.stdout, re.MULTILINE)
    return str(folder)


def read_scores(folder: str, metric: str) -> list[float]:
    """The test score of every seed of a training, as its manifest records them."""
    from pipeline.runs.manifest import read_manifest
    from pipeline.stages.filesystem import BeamFiles

    trials = read_manifest(BeamFiles(), folder)["trials"]
    return [trial["metrics"]["test"][metric] for trial in trials]


def describe(name: str, scores: Sequence[float], *, seconds: float) -> tuple[str, ...]:
    """The cells of a config's row."""
    mean, deviation = statistics.mean(scores), statistics.stdev(scores)
    return (
        f"`{name}`",
        NAMED[name].metric.replace("_", " "),
        f"{mean:.4f} ± {deviation:.4f}",
        str(len(scores)),
        f"{seconds / 60:.0f} min",
        NAMED[name].published,
    )


def update_table(page: str, rows: Sequence[tuple[str, ...]]) -> str:
    """The page with the rows in its table, in the order of `NAMED`.

    Raises:
        ValueError: if the page has no place for the table.
    """
    cells = {row[0]: row for row in [*_read_rows(text_between(page, BEGIN, END)), *rows]}
    known = [cells[name] for name in (f"`{each}`" for each in NAMED) if name in cells]
    return replace_between(page, BEGIN, END, list(table([HEADER, *known])))


def _read_rows(text: str) -> Iterator[tuple[str, ...]]:
    for line in text.strip().splitlines()[2:]:
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def main() -> None:
    """Trains what can be trained and updates README after each config."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=list(NAMED), help="a config; repeatable")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each config, at least 2")
    arguments = parser.parse_args()
    corpora = Path(os.environ.get("CORPORA", ""))
    for name in arguments.only or NAMED:
        if not (corpora / NAMED[name].corpus).is_dir():
            print(f"{name}: passed over, no {NAMED[name].corpus}/ below CORPORA={corpora}")
            continue
        begun = time.monotonic()
        scores = read_scores(train(name, seeds=arguments.seeds), NAMED[name].metric)
        row = describe(name, scores, seconds=time.monotonic() - begun)
        print(" | ".join(row), flush=True)
        page = README.read_text(encoding="utf-8")
        README.write_text(update_table(page, [row]), encoding="utf-8")


if __name__ == "__main__":
    main()
