"""What the wide part costs in the command `score`, with and without character n-grams.

    python -m tests.benchmarks.bench_wide [--documents 25000] [--rounds 5]

Three models with the network of `guide_attention_2d` take turns: without a wide part, with one of
tokens and bigrams, and with one that also has character n-grams, the default. The whole process is
measured, from JSON lines to Parquet with attention and contributions. The reviews are those of
`bench_score`. The table shows medians over the rounds.
"""

import argparse
import collections
import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from model.config import WideConfig
from tests.benchmarks.processes import Usage, call_in_process, run_score
from tests.benchmarks.review_models import write_review_model
from tests.benchmarks.reviews import read_reviews, write_reviews

NONE = "without a wide part"
PARTS: Mapping[str, WideConfig | None] = {
    NONE: None,
    "tokens and bigrams": WideConfig(character_bits=None),
    "and character n-grams": WideConfig(),
}
TARGET = 0.15  # of the speed without a wide part, at most


def write_models(folder: Path, texts: list[str]) -> None:
    """Writes the three model directories."""
    for number, wide in enumerate(PARTS.values()):
        write_review_model(folder / f"model-{number}", texts, wide=wide)


def compete(folder: Path, rounds: int) -> dict[str, list[Usage]]:
    """Scores the corpus with the models in turns."""
    usages = collections.defaultdict(list)
    for _ in range(rounds):
        for number, name in enumerate(PARTS):
            model, corpus = folder / f"model-{number}", str(folder / "corpus.jsonl")
            usages[name].append(run_score(model, corpus, folder / "out")[0])
    return usages


def report(usages: Mapping[str, Sequence[Usage]], *, documents: int) -> Iterator[str]:
    """The table: documents a second, and the share of the speed that is lost."""
    yield f"{documents:,} documents, medians of {len(usages[NONE])} rounds; documents a second"
    yield f"  {'':24}{'whole process':>24}{'of CPU time':>24}"
    rates = {
        name: [
            documents / statistics.median(times)
            for times in ([each.wall for each in mine], [each.cpu for each in mine])
        ]
        for name, mine in usages.items()
    }
    for name, mine in rates.items():
        lost = [1 - rate / first for rate, first in zip(mine, rates[NONE], strict=True)]
        cells = [f"{rate:,.0f} ({-share:+.1%})" for rate, share in zip(mine, lost, strict=True)]
        yield f"  {name:24}{cells[0]:>24}{cells[1]:>24}"
    yield f"  target: at most -{TARGET:.0%}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=25_000)
    parser.add_argument("--rounds", type=int, default=5)
    parsed = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(prefix="limelight-bench-") as scratch:
        folder = Path(scratch)
        texts = read_reviews(parsed.documents)
        write_reviews(folder / "corpus.jsonl", texts, documents=parsed.documents)
        call_in_process(write_models, folder, texts)
        compete(folder, 1)  # compiles the kernels where no cache has them
        usages = compete(folder, parsed.rounds)
        print("\n".join(report(usages, documents=parsed.documents)))


if __name__ == "__main__":
    main()
