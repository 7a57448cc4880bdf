"""Film reviews for benchmarks: IMDB's where they are at hand, or else made-up texts like them."""

import gzip
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson


def corpus_folder(name: str) -> Path | None:
    """The folder of a real corpus below the one that the variable CORPORA names, if it exists."""
    if not (corpora := os.environ.get("CORPORA")):
        return None
    folder = Path(corpora, name)
    return folder if folder.is_dir() else None


def read_imdb(folder: Path, split: str, documents: int) -> Iterator[dict[str, Any]]:
    """The first rows of IMDB's `train` or `test`."""
    with gzip.open(folder / f"{split}.jsonl.gz") as lines:
        for line in itertools.islice(lines, documents):
            yield orjson.loads(line)


def read_reviews(documents: int) -> list[str]:
    """Texts of IMDB's test reviews, or of made-up words where there is no IMDB."""
    if folder := corpus_folder("imdb"):
        return [row["text"] for row in read_imdb(folder, "test", documents)]
    print("imdb/ is not in the folder that CORPORA names: the texts are made up")
    words = [f"word{word}" for word in range(40_000)]
    return make_texts(words, documents, np.random.default_rng(1), median=230)


def make_texts(
    words: Sequence[str], documents: int, random: np.random.Generator, *, median: int
) -> list[str]:
    """Texts whose lengths are spread like those of reviews, with so many words in the median."""
    lengths = draw_lengths(documents, random, median=median, longest=2_000)
    drawn = draw_words(len(words), int(lengths.sum()), random)
    parts = np.split(drawn, np.cumsum(lengths)[:-1])
    return [" ".join(words[word] for word in part) for part in parts]


def draw_lengths(
    documents: int, random: np.random.Generator, *, median: int, longest: int
) -> np.ndarray:
    """Lengths in words: log-normal like those of reviews, at least 5."""
    return np.clip(random.lognormal(np.log(median), 0.65, documents), 5, longest).astype(int)


def draw_words(vocabulary: int, words: int, random: np.random.Generator) -> np.ndarray:
    """Indexes of words, which are as frequent as Zipf's law says: the first is the commonest."""
    frequency = 1 / np.arange(1, vocabulary + 1)
    return random.choice(vocabulary, words, p=frequency / frequency.sum())


def write_reviews(path: Path, texts: Iterable[str], *, documents: int) -> None:
    """Writes JSON lines with so many documents; the texts come again where they are fewer."""
    with path.open("wb") as sink:
        for number, text in enumerate(itertools.islice(itertools.cycle(texts), documents)):
            sink.write(orjson.dumps({"id": f"d{number}", "text": text}) + b"\n")
