"""How fast prepare is apart from its start, and what a corpus 8 times larger costs.

    export CORPORA=...      # the folder that holds imdb/
    python -m tests.benchmarks.bench_prepare                      # IMDB's 50,000 reviews
    python -m tests.benchmarks.bench_prepare --documents 2000     # a try

Three corpora are written to a temporary folder: a hundred reviews, IMDB's train and test
reviews, and those again under new ids as often as makes the corpus 8 times larger. Each is
prepared in a process of its own with the configuration `guide_attention_2d`. What the
hundred take is the fixed start-up: libraries, pipelines, TensorFlow Transform. Memory is the
sum over the processes of a run, sampled; the CPU time is for machines that do other work.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

FEW = 100
TIMES = 8
SAMPLE_SECONDS = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=25_000, help="of train, and of test")
    parser.add_argument("--config", default="configs/guide_attention_2d.yaml")
    arguments = parser.parse_args()
    if "CORPORA" not in os.environ:
        print("bench_prepare: skipped, because CORPORA does not name the folder of imdb/")
        return
    documents = 2 * arguments.documents
    with tempfile.TemporaryDirectory() as folder:
        corpora = {
            "start": write_corpus(Path(folder) / "start", documents=FEW, times=1),
            "once": write_corpus(Path(folder) / "once", documents=arguments.documents, times=1),
            "larger": write_corpus(
                Path(folder) / "larger", documents=arguments.documents, times=TIMES
            ),
        }
        size = sum(path.stat().st_size for path in corpora["larger"].iterdir())
        print(f"{documents:,} documents; the larger corpus has {size / 1e6:,.0f} MB")
        found = {}
        for name, corpus in corpora.items():
            found[name] = measure(arguments.config, corpus, Path(folder) / f"runs-{name}")
            seconds, cpu_seconds, peak = found[name]
            print(f"{name:<8}{seconds:8.1f} s {cpu_seconds:8.1f} s CPU {peak / 2**20:8,.0f} MiB")
    start, once, larger = found["start"], found["once"], found["larger"]
    rate = documents / (once.seconds - start.seconds)
    cpu_rate = documents / (once.cpu_seconds - start.cpu_seconds)
    print(f"apart from the start: {rate:,.0f} documents/s, {cpu_rate:,.0f} a second of CPU time")
    print(
        f"{TIMES} times larger: {larger.seconds / once.seconds:.2f} times the time, "
        f"{larger.cpu_seconds / once.cpu_seconds:.2f} times the CPU time, "
        f"{larger.peak_bytes / once.peak_bytes:.2f} times the peak memory"
    )


def write_corpus(folder: Path, *, documents: int, times: int) -> Path:
    """Writes train.jsonl and test.jsonl with so many reviews each, `times` over."""
    folder.mkdir()
    for split in ("train", "test"):
        with (folder / f"{split}.jsonl").open("wb") as sink:
            for repeat in range(times):
                for row in _rows(split, documents):
                    sink.write(orjson.dumps({**row, "id": f"{row['id']}-{repeat}"}) + b"\n")
    return folder


def _rows(split: str, documents: int) -> Iterator[dict[str, object]]:
    path = Path(os.environ["CORPORA"]) / "imdb" / f"{split}.jsonl.gz"
    with gzip.open(path) as stream:
        for _, line in zip(range(documents), stream, strict=False):
            yield orjson.loads(line)


def measure(config: str, corpus: Path, workspace: Path) -> Measured:
    """Runs prepare on a corpus in a process of its own."""
    inputs = ", ".join(f"{{path: '{corpus}/{s}.jsonl', split: {s}}}" for s in ("train", "test"))
    settings = [f"workspace={workspace}", f"corpus.inputs=[{inputs}]"]
    command = [sys.executable, "-m", "pipeline", "prepare", "--config", config]
    command += [word for setting in settings for word in ("--set", setting)]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak: list[int] = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.join()
    if process.returncode:
        raise SystemExit(f"expected prepare to succeed, got exit code {process.returncode}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.returncode is None:
        peak[0] = max(peak[0], _tree_bytes(process.pid))
        time.sleep(SAMPLE_SECONDS)


def _tree_bytes(root: int) -> int:
    """Resident memory of a process and all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it has ended
                continue
            parents[int(entry.name)] = (int(stat[1]), int(stat[21]) * PAGE)
    tree = {root}
    grown = True
    while grown:
        below = {pid for pid, (parent, _) in parents.items() if parent in tree} - tree
        grown = bool(below)
        tree |= below
    return sum(parents[pid][1] for pid in tree if pid in parents)


if __name__ == "__main__":
    main()
