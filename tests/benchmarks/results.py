"""Trains the named configs and writes their test scores into README's table of results.

    CORPORA=... python -m tests.benchmarks.results [--only zhou2016_semeval] [--seeds 5]

A config whose corpus is not below `CORPORA` is skipped. Every config is trained with several seeds.
For each seed the epoch is chosen by the score on the validation part of the training data; the test
set is used only for the score in the table, which shows its mean and standard deviation over
the seeds. Beside it stands the score of the linear baseline, and how much more accurate than the
network it is, in points, with the 95 % interval: the means over the seeds. Rows of configs that are
not trained in this run stay as they are.

The score of each seed is kept in runs/results.jsonl. After a run that was stopped, the next one
trains only the seeds that are missing; so does a run with more seeds. All seeds of a config that
has changed are trained again.

Rows "with vectors" begin with word vectors. If runs/imdb_vectors.txt does not exist,
`python -m pipeline vectors` first learns them on the film reviews, labeled and unlabeled, and the
time that takes is printed.
"""

import argparse
import functools
import hashlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.benchmarks.readme import PROJECT, replace_between, table, text_between, write_readme
from tests.benchmarks.reviews import corpus_folder

BEGIN, END = "<!-- results: make results -->", "<!-- end of results -->"
VECTORS = Path("runs") / "imdb_vectors.txt"  # kept, because the model cards name it
RECORDS = Path("runs") / "results.jsonl"
HEADER = (
    *("config", "test score", "mean ± deviation", "linear baseline", "seeds", "time"),
    "published",
)


class Named(NamedTuple):
    """A row: a config, its corpus, the metric, the number of seeds, the score others published."""

    config: str
    corpus: str
    metric: str
    published: str
    seeds: int = 3
    vectors: bool = False


PLAIN_ZHOU = Named(
    config="zhou2016_semeval",
    corpus="semeval2010_task8",
    metric="semeval_f1",
    published="0.840 with GloVe (Zhou et al.)",
    seeds=5,
)
TREC = Named(
    config="trec",
    corpus="trec",
    metric="accuracy",
    published="0.938 with GloVe (Zhou et al., COLING)",
    seeds=5,
)
NAMED = {
    "guide_bilstm": Named("guide_bilstm", "imdb", "accuracy", "0.72 (guide)"),
    "guide_attention_3d": Named("guide_attention_3d", "imdb", "accuracy", "none"),
    "guide_attention_2d": Named(
        "guide_attention_2d", "imdb", "accuracy", "0.99, on training data (guide)"
    ),
    "stackoverflow_binary": Named("stackoverflow_binary", "imdb", "accuracy", "none"),
    "keras_attention_imdb": Named(
        "keras_attention_imdb", "imdb", "accuracy", "0.876, of the best epoch (keras-attention)"
    ),
    "imdb_best": Named(
        "imdb_best", "imdb", "accuracy", "0.928, pretrained LSTM (Dai and Le)", vectors=True
    ),
    "zhou2016_semeval": PLAIN_ZHOU,
    "zhou2016_semeval with vectors": PLAIN_ZHOU._replace(vectors=True),
    "semeval_best": PLAIN_ZHOU._replace(config="semeval_best", vectors=True),
    "trec": TREC,
    "trec with vectors": TREC._replace(vectors=True),
    "sms_spam": Named("sms_spam", "sms_spam", "accuracy", "none"),
    "tweet_sentiment": Named("tweet_sentiment", "tweet_sentiment", "accuracy", "none"),
    "zh_shopping": Named("zh_shopping", "zh_shopping", "accuracy", "none"),
}


def learn_vectors(path: Path) -> None:
    """Learns vectors on all film reviews that are not for testing, as configs/imdb_best says."""
    command = [sys.executable, "-m", "pipeline", "vectors", "--config", "configs/imdb_best.yaml"]
    command += ["--input", f"{corpus_folder('imdb')}/*[dn].jsonl.gz", "--output", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)


def train(named: Named, *, seed: int, vectors: Path) -> str:
    """Trains a config with a seed and returns the folder of its model."""
    command = [sys.executable, "-m", "pipeline", "train"]
    command += ["--config", f"configs/{named.config}.yaml", "--set", f"training.seeds=[{seed}]"]
    if named.vectors:
        command += ["--set", f"network.embedding.vectors={vectors}"]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    [folder] = re.findall(r"^model +(\S+)$", made.stdout, re.MULTILINE)
    return str(folder)


class Measured(NamedTuple):
    """The test scores of a model and of the linear baseline, as the model's manifest has them.

    `lead` is the accuracy of the baseline minus that of the model, and the ends of its interval.
    """

    score: float
    baseline: float
    lead: tuple[float, float, float]


def read_scores(folder: str, metric: str) -> Measured:
    """The scores of a model."""
    from pipeline.storage.beam_files import BeamFiles
    from pipeline.storage.manifest import read_manifest
    from pipeline.training.baseline_record import BaselineRecord

    manifest = read_manifest(BeamFiles(), folder)
    [trial] = manifest["trials"]
    baseline = BaselineRecord.from_json(manifest["baseline"])
    found = baseline.differences["test"]
    return Measured(
        score=float(trial["metrics"]["test"][metric]),
        baseline=baseline.scores["test"][metric],
        lead=(found.difference, found.low, found.high),
    )


def recipe_of(named: Named, *, vectors: Path) -> str:
    """A digest of what a training depends on besides its seed: config and vectors."""
    path = PROJECT / "configs" / f"{named.config}.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    if named.vectors:
        with vectors.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def find_records(path: Path, name: str, *, recipe: str) -> dict[int, dict[str, Any]]:
    """The newest record of each seed of a row that was trained by this recipe, by seed.

    Records that were written before there was a baseline do not count.
    """
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return {
        record["seed"]: record
        for record in records
        if (record["row"], record["recipe"]) == (name, recipe) and "baseline" in record
    }


def measure_row(name: str, *, seeds: int) -> tuple[str, ...]:
    """Trains the seeds of a row that have no record, and returns its cells."""
    named = NAMED[name]
    recipe = recipe_of(named, vectors=VECTORS)
    known = find_records(RECORDS, name, recipe=recipe)
    for seed in range(1, seeds + 1):
        if seed in known:
            continue
        begun = time.monotonic()
        folder = train(named, seed=seed, vectors=VECTORS)
        known[seed] = {
            "row": name,
            "recipe": recipe,
            "seed": seed,
            **read_scores(folder, named.metric)._asdict(),
            "seconds": round(time.monotonic() - begun, 1),
            "model": folder,
        }
        RECORDS.parent.mkdir(exist_ok=True)
        with RECORDS.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(known[seed]) + "\n")
        print(f"{name}, seed {seed}: {known[seed]['score']:.4f}", flush=True)
    chosen = [known[seed] for seed in range(1, seeds + 1)]
    return describe(
        name,
        [Measured(*(record[field] for field in Measured._fields)) for record in chosen],
        seconds=sum(record["seconds"] for record in chosen),
    )


def describe(name: str, measured: Sequence[Measured], *, seconds: float) -> tuple[str, ...]:
    """The cells of a config's row."""
    scores = [each.score for each in measured]
    mean, deviation = statistics.mean(scores), statistics.stdev(scores)
    baseline = f"{statistics.mean(each.baseline for each in measured):.4f}"
    if NAMED[name].metric == "accuracy":
        lead, low, high = (
            100 * statistics.mean(ends)
            for ends in zip(*(each.lead for each in measured), strict=True)
        )
        baseline += f", {lead:+.1f} points ({low:+.1f} to {high:+.1f})"
    return (
        f"`{name}`",
        NAMED[name].metric.replace("_", " "),
        f"{mean:.4f} ± {deviation:.4f}",
        baseline,
        str(len(scores)),
        f"{seconds / 60:.0f} min",
        NAMED[name].published,
    )


def update_table(page: str, rows: Sequence[tuple[str, ...]]) -> str:
    """The page with the rows in its table, in the order of `NAMED`.

    Raises:
        ValueError: if the page lacks one of the comments around the table.
    """
    cells = {row[0]: row for row in [*_read_rows(text_between(page, BEGIN, END)), *rows]}
    known = [cells[name] for name in (f"`{each}`" for each in NAMED) if name in cells]
    return replace_between(page, BEGIN, END, list(table([HEADER, *known])))


def _read_rows(text: str) -> Iterator[tuple[str, ...]]:
    for line in text.strip().splitlines()[2:]:
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def main() -> None:
    """Trains what can be trained and updates README after each row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=list(NAMED), help="a row; repeatable")
    parser.add_argument(
        "--seeds", type=int, choices=range(3, 101), metavar="N", help="of each row (default: 3; 5)"
    )
    arguments = parser.parse_args()
    for name in arguments.only or NAMED:
        named = NAMED[name]
        needed = {named.corpus, "imdb"} if named.vectors else {named.corpus}
        if missing := sorted(each for each in needed if corpus_folder(each) is None):
            print(f"{name}: skipped, because CORPORA does not name the folder of {missing[0]}/")
            continue
        if named.vectors and not VECTORS.exists():
            begun = time.monotonic()
            learn_vectors(VECTORS)
            print(f"vectors: {(time.monotonic() - begun) / 60:.0f} min", flush=True)
        row = measure_row(name, seeds=arguments.seeds or named.seeds)
        print(" | ".join(row), flush=True)
        write_readme(functools.partial(update_table, rows=[row]))


if __name__ == "__main__":
    main()
