"""How fast prepare is without its start, and what a corpus 8 times larger costs.

    export CORPORA=...      # the folder that holds imdb/
    python -m tests.benchmarks.bench_prepare                      # IMDB's 50,000 reviews
    python -m tests.benchmarks.bench_prepare --documents 2000     # a try

Three corpora are written to a temporary folder: a hundred reviews of each split, IMDB's train and
test reviews, and these 8 times over under new ids. Each is prepared in a process of its own with
the configuration `guide_attention_2d`. The time of the smallest is the fixed start: libraries,
pipelines, TensorFlow Transform. Memory is the sum over the processes of a run, sampled. Compare the
CPU time where the machine does other work.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import orjson

from tests.benchmarks.processes import Usage, run_process
from tests.benchmarks.reviews import corpus_folder, read_imdb

FEW = 100
TIMES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=25_000, help="of train, and of test")
    parser.add_argument("--config", default="configs/guide_attention_2d.yaml")
    arguments = parser.parse_args()
    if (imdb := corpus_folder("imdb")) is None:
        print("bench_prepare: skipped, because CORPORA does not name the folder of imdb/")
        return
    documents = 2 * arguments.documents
    sizes = {"start": (FEW, 1), "once": (arguments.documents, 1)}
    sizes["larger"] = (arguments.documents, TIMES)
    with tempfile.TemporaryDirectory() as folder:
        corpora = {
            name: write_repeated_reviews(imdb, Path(folder) / name, documents=count, times=times)
            for name, (count, times) in sizes.items()
        }
        size = sum(path.stat().st_size for path in corpora["larger"].iterdir())
        print(f"{documents:,} documents; the larger corpus has {size / 1e6:,.0f} MB")
        found = {}
        for name, corpus in corpora.items():
            found[name] = measure(arguments.config, corpus, Path(folder) / f"runs-{name}")
            wall, cpu, peak = found[name]
            print(f"{name:<8}{wall:8.1f} s {cpu:8.1f} s CPU {peak / 2**20:8,.0f} MiB")
    start, once, larger = found["start"], found["once"], found["larger"]
    rate = documents / (once.wall - start.wall)
    cpu_rate = documents / (once.cpu - start.cpu)
    print(f"without the start: {rate:,.0f} documents/s, {cpu_rate:,.0f} a second of CPU time")
    print(
        f"{TIMES} times larger: {larger.wall / once.wall:.2f} times the time, "
        f"{larger.cpu / once.cpu:.2f} times the CPU time, "
        f"{larger.peak / once.peak:.2f} times the peak memory"
    )


def write_repeated_reviews(imdb: Path, folder: Path, *, documents: int, times: int) -> Path:
    """Writes train.jsonl and test.jsonl with so many of IMDB's reviews each, `times` over."""
    folder.mkdir()
    for split in ("train", "test"):
        with (folder / f"{split}.jsonl").open("wb") as sink:
            for repeat in range(times):
                for row in read_imdb(imdb, split, documents):
                    sink.write(orjson.dumps({**row, "id": f"{row['id']}-{repeat}"}) + b"\n")
    return folder


def measure(config: str, corpus: Path, workspace: Path) -> Usage:
    """Runs prepare on a corpus in a process of its own."""
    inputs = ", ".join(f"{{path: '{corpus}/{s}.jsonl', split: {s}}}" for s in ("train", "test"))
    settings = [f"workspace={workspace}", f"corpus.inputs=[{inputs}]"]
    command = [sys.executable, "-m", "pipeline", "prepare", "--config", config]
    command += [word for setting in settings for word in ("--set", setting)]
    usage, _ = run_process(command, with_children=True)
    return usage


if __name__ == "__main__":
    main()
