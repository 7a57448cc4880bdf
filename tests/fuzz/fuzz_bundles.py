"""Feeds mutated model directories to the loader until the time is up: `make fuzz`.

One file of a small model is changed, in its bytes or in its structure, and the manifest is made to
fit. The model must be refused by a `BundleError` that names a file of it, or score, within seconds
and in limited memory; no other error may come out and the process must not end. A failure is
printed with the bytes of the file, to be made a test.
"""

import argparse
import base64
import collections
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from model.bundle.file_names import MANIFEST
from tests.fuzz.mutations import mutated
from tests.model.bundle.tampering.cases import refit
from tests.model.bundle.tampering.loading_worker import LoadingWorker
from tests.model.bundle.tampering.whole_bundles import make_config, write_whole

WHOLE = {
    "context": make_config("context", wide=True),
    "positional": make_config("positional", layers=2, merge="sum"),
    "bahdanau": make_config("bahdanau"),
    "luong": make_config("luong", bidirectional=False),
    "multihead": make_config("multihead"),
    "ensemble": make_config("zhou", members=2),
    "old": make_config("context"),
}
VALUES = (
    None, True, 0, 1, -1, 7, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308, "", "a", "7",
    "\x00", "é", "\u2028",
    "../a", [], [1], [[]], {}, {"a": 1}, "x" * 10_000, list(range(1_000)),
)  # fmt: skip
INTERESTING = (
    b"\x00",
    b"\xff",
    b"[",
    b"]",
    b"{",
    b'"',
    b":",
    b",",
    b"\n",
    b"-",
    b"&a ",
    b"*a",
    b"1e9",
)


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """Some bytes replaced, inserted or cut off."""
    changes = [
        (
            chance.randrange(1 << 20),
            chance.choice((0, 1, 1, 2, 8, 10)),
            chance.choice((*INTERESTING, chance.randbytes(chance.choice((1, 1, 2, 8, 40))))),
        )
        for _ in range(chance.choice((1, 1, 2, 5)))
    ]
    return mutated(content, changes)


def mutate_tree(value: Any, chance: random.Random) -> Any:
    """One value somewhere in a tree replaced, removed or repeated."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return {**value, chance.choice(("a", "", "bytes", "../x", key + "x")): value[key]}
        return {**value, key: mutate_tree(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value + value[place:]
        return [*value[:place], mutate_tree(value[place], chance), *value[place + 1 :]]
    if isinstance(value, int | float) and chance.random() < 0.5:
        return value + chance.choice((1, -1, 0.5, 1_000, -(10**12)))
    return chance.choice(VALUES)


def mutate_json(content: bytes, chance: random.Random) -> bytes:
    return json.dumps(mutate_tree(json.loads(content), chance)).encode()


def mutate_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines()
    place = chance.randrange(len(lines))
    lines[place] = mutate_json(lines[place], chance)
    return b"\n".join(lines) + b"\n"


def mutate_yaml(content: bytes, chance: random.Random) -> bytes:
    return yaml.safe_dump(mutate_tree(yaml.safe_load(content), chance)).encode()


def mutate_safetensors(content: bytes, chance: random.Random) -> bytes:
    size = int.from_bytes(content[:8], "little")
    header = mutate_json(content[8 : 8 + size], chance)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


STRUCTURES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".json": mutate_json,
    ".jsonl": mutate_lines,
    ".yaml": mutate_yaml,
    ".safetensors": mutate_safetensors,
}


def mutate_file(path: Path, chance: random.Random) -> None:
    change = STRUCTURES.get(path.suffix, mutate_bytes)
    if chance.random() < 0.4:
        change = mutate_bytes
    path.write_bytes(change(path.read_bytes(), chance))


def problem_of(got: dict[str, object], folder: Path) -> str | None:
    message = str(got.get("message", ""))
    if got["outcome"] == "scored":
        return None
    if got["outcome"] != "refused":
        return f"{got['outcome']}: {message}"
    if "\n" in message or str(folder) not in message:
        return f"the message names no file, or has several lines: {message}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="limelight-fuzz-") as scratch:
        whole = {name: Path(scratch) / name for name in WHOLE}
        for name, folder in whole.items():
            write_whole(folder, WHOLE[name], hdf5=name == "old")
        worker = LoadingWorker(*whole.values())
        ends = time.monotonic() + 60 * arguments.minutes
        seed = arguments.seed
        while time.monotonic() < ends:
            chance = random.Random(seed)  # noqa: S311
            folder = Path(scratch) / "case"
            base = chance.choice(list(whole))
            shutil.copytree(whole[base], folder)
            path = chance.choice(sorted(each for each in folder.rglob("*") if each.is_file()))
            mutate_file(path, chance)
            if path.name != MANIFEST:
                refit(folder)
            got = worker.load(folder)
            outcomes[str(got["outcome"])] += 1
            problem = problem_of(got, folder)
            if problem is not None:
                failures += 1
                content = base64.b64encode(path.read_bytes()[:20_000]).decode()
                print(f"seed {seed}, {base}, {path.name}: {problem}\n{content}", flush=True)
            if got["outcome"] == "crashed":
                worker = LoadingWorker(*whole.values())
            shutil.rmtree(folder)
            seed += 1
        worker.close()
    print(f"seed {arguments.seed}, {outcomes.total():,} models: {dict(outcomes)}")
    print(f"{failures} failures")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
