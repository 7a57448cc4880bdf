"""Scoring a night with the unchanged rows of the night before reused, and scoring it whole.

    python -m tests.benchmarks.bench_reuse [--documents 25000]

The second night has the reviews of the first, of which 2 % have another text. One process scores
it several times: whole and with reuse, in turns. The times compared are those of the pipeline
(`seconds` in the manifest: reading, scoring, writing). The start of Python and the loading of the
model take the same time both ways and are left out. The two partitions must hold the same rows.

Reuse cannot be faster than the floor. The floor is the time of Beam's pipeline over one document,
plus the longer of two others: the time to read the corpus, and the time to read and write the
partition with Arrow alone. Exits 1 if the rows differ, or if reuse takes more than 1.75 times the
floor.

Texts are made up of 10,000 words, as frequent as Zipf's law says. They have the lengths of IMDB's
reviews.
The network is that of the configuration `guide_attention_2d` with random weights.
"""

import argparse
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.parts import FilePart
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout
from tests.benchmarks.review_models import VOCABULARY, write_review_model
from tests.benchmarks.reviews import make_texts
from tests.pipeline.stages.nights import Nights

DOCUMENTS = 25_000
CHANGED = 0.02
WANTED = 0.15  # of the time of full scoring
LIMIT = 1.75  # times the floor
ROUNDS = 3
FIRST, SECOND = "2026-11-19", "2026-11-20"


def make_words(random: np.random.Generator) -> list[str]:
    """As many distinct words as the vocabulary holds. The frequent ones, the first, are short."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        length = 3 + min(len(words) // 700, 7)
        words["".join(random.choice(letters, length))] = None
    return list(words)


def measure(folder: Path, documents: int) -> bool:
    """Prints the table; returns whether the rows are equal and reuse is within its limit."""
    random = np.random.default_rng(1)
    words = make_words(random)
    texts = make_texts(words, documents, random, median=173)
    nights = Nights(folder=folder, model=write_review_model(folder / "model", texts))
    rows = [{"id": f"r{row}", "text": text} for row, text in enumerate(texts)]
    nights.write(rows, date=FIRST)
    changed = random.choice(documents, int(documents * CHANGED), replace=False)
    for row in changed:
        rows[row]["text"] += " again"
    nights.write(rows, date=SECOND)
    nights.score(date=FIRST)
    seconds: dict[str, list[float]] = {"full": [], "reused": []}
    cpu: dict[str, list[float]] = {"full": [], "reused": []}
    tables = {}
    for _ in range(ROUNDS):
        for how, reuse_from in (("full", None), ("reused", FIRST)):
            started = time.process_time()
            run = nights.score(date=SECOND, reuse_from=reuse_from)
            cpu[how].append(time.process_time() - started)
            seconds[how].append(run.manifest["seconds"])
            tables[how] = nights.table(SECOND)
    reuse = run.manifest["reuse"]
    print(f"{documents:,} reviews, {len(changed):,} changed, median of {ROUNDS} rounds")
    for how in seconds:
        wall, used = statistics.median(seconds[how]), statistics.median(cpu[how])
        print(
            f"{how:<10}{wall:7.2f} s   {documents / wall:9,.0f} documents/s   {used:7.2f} s of CPU"
        )
    full, reusing = (statistics.median(seconds[how]) for how in ("full", "reused"))
    floor = measure_floor(nights, documents)
    used = statistics.median(cpu["reused"]) / statistics.median(cpu["full"])
    equal = tables["full"].equals(tables["reused"])
    print(f"reused    {reuse['carried']:,} rows, scored {reuse['scored']:,}")
    print(f"share     {reusing / full:.1%} of the time, {used:.1%} of the CPU time")
    print(
        f"floor     {floor:.2f} s: {floor / full:.1%} of the time of full scoring, where "
        f"{WANTED:.0%} is wanted; reuse takes {reusing / floor:.2f} times the floor"
    )
    print(f"equal     {equal}")
    return equal and reusing <= LIMIT * floor


def measure_floor(nights: Nights, documents: int) -> float:
    """Seconds of the work that reuse must do: the pipeline's, plus the longer of read and copy."""
    parts: dict[str, list[float]] = {"pipeline": [], "read": [], "copy": []}
    [corpus] = (nights.folder / "corpus" / SECOND).iterdir()
    partition = Path(nights.partition(SECOND).predictions)
    lone = Nights(folder=nights.folder / "lone", model=nights.model)
    lone.write([{"id": "r0", "text": "one document"}], date=FIRST)
    files = BeamFiles()
    part = FilePart(path=str(corpus), source_file=corpus.name, input=InputConfig(path=str(corpus)))
    for _ in range(ROUNDS):
        parts["pipeline"].append(lone.score(date=FIRST).manifest["seconds"])
        started = time.perf_counter()
        with files.open(str(corpus)) as stream:
            rows = sum(batch.rows_read for batch in read_part(stream, part, corpus=CorpusConfig()))
        parts["read"].append(time.perf_counter() - started)
        assert rows == documents
        started = time.perf_counter()
        output = ParquetFiles(
            pq.read_schema(next(partition.glob("*.parquet"))),
            ParquetLayout(),
            folder=str(nights.folder / "copied"),
            files=files,
        )
        for path in partition.glob("*.parquet"):
            for batch in pq.ParquetFile(path).iter_batches(batch_size=2_000):
                list(output.write(batch))
        list(output.close())
        parts["copy"].append(time.perf_counter() - started)
    medians = {name: statistics.median(found) for name, found in parts.items()}
    print("floor     " + ", ".join(f"{name} {took:.2f} s" for name, took in medians.items()))
    return medians["pipeline"] + max(medians["read"], medians["copy"])


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parsed = parser.parse_args()
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder), parsed.documents) else 1


if __name__ == "__main__":
    sys.exit(main())
