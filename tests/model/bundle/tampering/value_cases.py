"""Values of other types and sizes in the files of text: config, manifest, vocabulary, examples."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from model.bundle.file_names import (
    BASELINE,
    CONFIG,
    GALLERY,
    GOLDEN,
    HISTORY,
    LABELS,
    MANIFEST,
    METRICS,
    PROFILE,
    STATISTICS,
    VOCABULARY,
)
from tests.model.bundle.tampering.cases import Case, Change, edit, in_manifest, write

Keys = tuple[str | int, ...]

WRONG: dict[type, list[object]] = {
    str: [7, None, ["a"]],
    int: ["7", 1.5, -1, 10**30],
    float: ["0.5", [], {}],
    list: [7, {}, "a"],
    dict: [7, [], "a"],
    type(None): [7],
    bool: ["true"],
}
# Sections that no program reads, or whose keys belong to another room, which checks them.
FREE: tuple[Keys, ...] = (
    ("outputs",),
    ("config", "corpus", "columns"),
    ("config", "corpus", "inputs", 0),
)
OPEN_KEYS = ("truth", "encoder", "baseline")  # also null, or something that is not null


def leaves(value: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value of a tree with its path; of a list only the first item's."""
    yield path, value
    if path in FREE:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))


def put(tree: Any, path: Keys, value: object) -> Any:
    if not path:
        return value
    *above, last = path
    inner = tree
    for part in above:
        inner = inner[part]
    inner[last] = value
    return tree


def wrong_values(path: Keys, value: Any) -> list[object]:
    found = WRONG[type(value)]
    if path and path[-1] in OPEN_KEYS:
        found = [each for each in found if each is not None]
    return found


def cases_of_json(base: str, whole: Path, name: str, *, lines: bool = False) -> Iterator[Case]:
    """Every value of a JSON file, replaced by one of another type."""
    content = (whole / name).read_text()
    tree = json.loads(content.splitlines()[0] if lines else content)
    for path, value in leaves(tree):
        for wrong in wrong_values(path, value):
            if path == ("schema_version",) and wrong == 10**30:
                continue  # a newer schema
            changed = json.dumps(put(json.loads(json.dumps(tree)), path, wrong)).encode()
            key = str(path[-1]) if path and isinstance(path[-1], str) else ""
            yield Case(
                name=f"{name}: {'.'.join(map(str, path))} = {wrong!r}",
                base=base,
                change=write(name, changed + b"\n" if lines else changed),
                refit=name != MANIFEST,
                names=key if name == MANIFEST and key else name,
            )


def cases_of_texts(base: str) -> Iterator[Case]:
    """What JSON, CSV and lists of lines must not hold."""
    for name in (METRICS, BASELINE, STATISTICS, PROFILE, GALLERY, GOLDEN, MANIFEST):
        for kind, content in {
            "nested lists": b"[" * 200_000,
            "NaN": b'{"documents": NaN}',
            "many digits": b"9" * 100_000,
            "a key twice": b'{"labels": 1, "labels": 2}',
            "half of a pair": b'{"labels": "\\ud800"}',
            "millions of objects": b"[" + b"{}," * 6_000_000 + b"{}]",
            "millions of strings": b"[" + b'"ab",' * 5_000_000 + b"1]",
        }.items():
            yield Case(
                name=f"{name}: {kind}",
                base=base,
                change=write(name, content),
                refit=name != MANIFEST,
                names=name,
            )
    for kind, content in {
        "text in place of a number": b"epoch,loss\n1,x\n",
        "NaN": b"epoch,loss\n1,nan\n",
        "a value more": b"epoch,loss\n1,2,3\n",
        "a header alone with rows": b"\n1\n",
        "a number too large for a chart": b"epoch,loss\n1,1e308\n",
        "no epochs": b"loss\n1\n",
        "a name twice": b"epoch,loss,loss\n1,2,3\n",
        "a field of 200 kB": b"epoch\n" + b"1" * 200_000 + b"\n",
    }.items():
        yield Case(
            name=f"history: {kind}", base=base, change=write(HISTORY, content), names=HISTORY
        )
    for name, contents in {
        VOCABULARY: {
            "a token twice": b"the\nfilm\nwas\ngood\ngood\n.\n",
            "an empty token": b"the\nfilm\n\ngood\nbad\n.\n",
            "a carriage return": b"the\nfilm\nwas\ngood\nb\rad\n.\n",
            "a line less": b"the\nfilm\nwas\ngood\nbad\n",
            "a line more": b"the\nfilm\nwas\ngood\nbad\n.\nmore\n",
            "a million lines": b"a\n" * 1_000_000,
            "sixteen million lines": b"\n" * (16 << 20),
        },
        LABELS: {
            "a label twice": b"neg\npos\npos\n",
            "an empty label": b"neg\n\nso-so\n",
            "no line feed": b"neg\npos\nso-so",
            "a label less": b"neg\npos\n",
            "a label more": b"neg\npos\nso-so\nmore\n",
            "one label": b"neg\n",
            "a million labels": b"".join(b"%d\n" % number for number in range(500_000)),
        },
    }.items():
        for kind, content in contents.items():
            # Labels decide the shape of the head.
            names = "network.weights" if kind in ("a label less", "a label more") else name
            yield Case(name=f"{name}: {kind}", base=base, change=write(name, content), names=names)


def cases_of_golden(base: str, whole: Path) -> Iterator[Case]:
    documents = [json.loads(line) for line in (whole / GOLDEN).read_text().splitlines()]

    def golden(change: Callable[[dict[str, Any]], object], copies: int = 1) -> Change:
        changed = json.loads(json.dumps(documents))
        for document in changed:
            change(document)
        lines = [json.dumps(document) for document in changed * copies]
        return write(GOLDEN, "".join(f"{line}\n" for line in lines).encode())

    swapped = golden(lambda item: item["probabilities"].reverse())
    changes = {
        "a probability more": golden(lambda item: item["probabilities"].append(0.1)),
        "a weight of attention more": golden(lambda item: item["attention"].append(0.1)),
        "no weight of attention": golden(lambda item: item["attention"].clear()),
        "another text": golden(lambda item: item.update(text="other words here and there")),
        "no text": golden(lambda item: item.update(text=" ")),
        "texts of 5 million characters": golden(lambda item: item.update(text="a " * 2_500_000)),
        "an empty line": edit(GOLDEN, lambda content: b"\n" + content),
        "another key": golden(lambda item: item.update(more=1)),
    }
    for kind, change in {**changes, "other probabilities": swapped}.items():
        yield Case(name=f"golden: {kind}", base=base, change=change, names="golden")


def _yaml(change: Callable[[str], str]) -> Change:
    return edit(CONFIG, lambda content: change(content.decode()).encode())


def cases_of_config(base: str) -> Iterator[Case]:
    """Settings that are not those of the weights, and YAML that is not plain."""
    bomb = "\n".join(
        ["l0: &l0 [x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10))]
    )
    merges = "\n".join(
        [
            "m0: &m0 {x: 1}",
            *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}" for n in range(1, 10)),
        ]
    )
    added = {
        "aliases": bomb,
        "merge keys": merges,
        "a merge key alone": "more: {<<: {a: 1}}",
        "a tag": "more: !!python/object/apply:os.getcwd []",
        "a harmless tag": "more: !!str 1",
        "nested lists": "more: " + "[" * 5_000,
        "many values": "more: [" + "1," * 100_000 + "]",
        "a key twice": "text: {}",
        "two documents": "---\na: 1",
    }
    for kind, text in added.items():
        change = _yaml(lambda old, t=text: f"{old}\n{t}\n")  # type: ignore[misc]
        yield Case(name=f"config: {kind}", base=base, change=change, names=CONFIG)
    replaced = {
        "units of the embedding": ("units: 3", "units: 4"),
        "billions of units": ("units: 3", "units: 3000000000"),
        "a number to the base 60": ("units: 3", "units: 1" + ":1" * 120_000),
        "an endless number": ("units: 3", f"units: {'3' * 4_000}"),
        "units of the LSTM": ("units: 5", "units: 6"),
        "units of attention": ("units: 4", "units: 8"),
        "text for units": ("units: 5", "units: many"),
        "no units": ("units: 5", "units: 0"),
        "layers": ("layers: 1", "layers: 2"),
        "a billion layers": ("layers: 1", "layers: 1000000000"),
        "no layers": ("layers: 1", "layers: 0"),
        "merge": ("merge: concat", "merge: sum"),
        "one direction": ("bidirectional: true", "bidirectional: false"),
        "a head": ("head: softmax", "head: sigmoid"),
        "an unknown head": ("head: softmax", "head: other"),
        "an unknown kind": ("kind: context", "kind: other"),
        "another kind": ("kind: context", "kind: bahdanau"),
        "an unknown key": ("  l2: 0.0", "  l3: 0.0"),
        "an infinite rate": ("  dropout: 0.5", "  dropout: .inf"),
        "trillions of tokens": ("max_tokens: 6", "max_tokens: 6000000000000"),
        "many buckets": ("oov_buckets: 1", "oov_buckets: 6000000000000"),
        "another bucket": ("oov_buckets: 1", "oov_buckets: 2"),
        "a pattern that is none": ("protected: []", "protected: ['(']"),
        "a pattern that is too large": ("protected: []", "protected: ['((a{1000}){1000}){1000}']"),
        "a pattern that ends the next one": ("protected: []", r"protected: ['\Qa']"),
        "a pattern of single bytes": ("protected: []", r"protected: ['a\C']"),
        "thousands of patterns": ("protected: []", f"protected: [{', '.join(['ab'] * 7_000)}]"),
        "an empty pattern": ("protected: []", "protected: ['a*']"),
        "a marker that is no token": ("entities: []", "entities: [[<e1>, </e1>]]"),
        "a marker of two tokens": ("entities: []", "entities: [[the film, was]]"),
        "bits": ("bigram_bits: 8", "bigram_bits: 9"),
        "too many bits": ("bigram_bits: 8", "bigram_bits: 63"),
        "no characters": ("character_bits: 8", "character_bits: null"),
        "an ensemble": ("seeds:\n  - 1", "seeds: [1, 1]"),
        "text for a section": ("text:\n", "text: x\nother:\n"),
        "no section": ("network:\n", "networks:\n"),
    }
    for kind, (old, new) in replaced.items():
        # Where the config itself is in order, the weights are not those of it.
        names = {"a head": LABELS, "another bucket": VOCABULARY}.get(kind, CONFIG)
        yield Case(name=f"config: {kind}", base=base, change=_replacing(old, new), names=names)
    for kind, content in {"a list": b"[]", "null": b"null", "a number": b"1"}.items():
        yield Case(name=f"config: {kind}", base=base, change=write(CONFIG, content), names=CONFIG)


def _replacing(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return _yaml(change)


def cases_of_manifest(base: str) -> Iterator[Case]:
    changes: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
        "another fingerprint": (lambda m: m.update(fingerprint="0" * 16), "fingerprint"),
        "another number of ids": (lambda m: m.update(vocabulary_ids=9), VOCABULARY),
        "a newer schema": (lambda m: m.update(schema_version=99), "schema version"),
        "no model version": (lambda m: m.pop("model_version"), "model_version"),
        "escapes in the version": (lambda m: m.update(model_version="a\x1b[2J/1"), "model_version"),
        "an uppercase digest": (
            lambda m: m["files"][LABELS].update(sha256="A" * 64),
            "labels.txt.sha256",
        ),
        "a short digest": (lambda m: m["files"][LABELS].update(sha256="a"), "labels.txt.sha256"),
        "no size": (lambda m: m["files"][LABELS].pop("bytes"), "labels.txt.bytes"),
        "another run": (lambda m: m.update(stage="score"), "a run of score"),
        "no golden documents": (lambda m: m["files"].pop(GOLDEN), GOLDEN),
        "no weights": (lambda m: m["files"].pop("network.weights.safetensors"), "none"),
        "a time that is none": (lambda m: m.update(finished="x" * 100_000), "finished"),
        "a key more in a trial": (lambda m: m["trials"][0].update(more=1), "more"),
        "thousands of files": (
            lambda m: m["files"].update({f"x{n}": m["files"][LABELS] for n in range(2_000)}),
            "at most 1,000 keys",
        ),
        "a million wrong counts": (
            lambda m: m["rows"].update(rejected={f"r{n}": "x" for n in range(300_000)}),
            "rejected",
        ),
        "a million wrong notes": (lambda m: m["rows"].update(notes=[1] * 1_000_000), "notes"),
        "a deep config": (lambda m: m["config"].update(more=_deep(200)), "nested"),
    }
    for kind, (change, names) in changes.items():
        yield Case(
            name=f"manifest: {kind}",
            base=base,
            change=in_manifest(change),
            refit=False,
            names=names,
        )


def _deep(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value
