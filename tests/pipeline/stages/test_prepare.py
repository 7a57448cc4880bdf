"""prepare on a small corpus gives what a plain loop over the same documents gives."""

import dataclasses
import hashlib
import json
import random
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from model.config import ConfigError
from model.text.tokenizer import Tokenizer
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.corpora.reading.dividing import divide_files
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.reading.units import group_units
from pipeline.stages.prepare import dataset_fingerprint
from pipeline.storage.files import join, read_json, read_lines, write_text
from tests.pipeline.examples import read_example, read_records
from tests.pipeline.stages.small_corpus import (
    FILES,
    MAX_TOKENS,
    REJECTED,
    ROWS,
    rejections_in,
    run,
    serialized,
    small_config,
    vocabulary_of,
    write_corpus,
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepare")


@pytest.fixture(scope="module")
def config(workspace: Path) -> Config:
    return small_config(workspace / "runs", write_corpus(workspace / "corpus", ROWS))


@pytest.fixture(scope="module")
def dataset(config: Config) -> Dataset:
    return run(config)


def expected_split(text: str) -> str:
    """Where the hash of the normalized text puts a document."""
    lower = "".join(character.lower() for character in unicodedata.normalize("NFKD", text))
    normalized = re.sub(r"\s+", " ", lower).strip()
    digest = hashlib.blake2b(normalized.encode(), digest_size=16).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if position < 0.2 else "test" if position < 0.4 else "train"


def tokens_of(text: str) -> list[str]:
    tokenizer = Tokenizer(build_config({}, (), where="").text)
    [tokens] = tokenizer.tokenize(pa.array([text])).folded().to_pylist()
    return list(tokens)


def test_the_vocabulary_is_the_most_frequent_tokens_of_training(dataset: Dataset) -> None:
    counts = Counter(
        token
        for row in ROWS
        if row["text"].strip() and expected_split(row["text"]) == "train"
        for token in tokens_of(row["text"])
    )
    vocabulary = vocabulary_of(dataset)
    assert len(vocabulary) == 60 < len(counts)
    assert [counts[token] for token in vocabulary] == sorted(counts.values(), reverse=True)[:60]


def test_the_examples_equal_a_plain_loop(dataset: Dataset) -> None:
    ids = {token: index + 2 for index, token in enumerate(vocabulary_of(dataset))}
    labels = sorted({row["label"] for row in ROWS if "label" in row})
    assert dataset.labels == tuple(labels)
    expected = {}
    for row in ROWS:
        if row["id"] in ("blank", "bare"):
            continue
        tokens = tokens_of(row["text"])
        every_id = [ids.get(token, 1) for token in tokens]
        kept, cut = every_id[:MAX_TOKENS], every_id[MAX_TOKENS:]
        unknown = [token.encode() for token in tokens if token not in ids]
        expected[row["id"]] = {
            "split": expected_split(row["text"]),
            "token_ids": kept + [0] * (MAX_TOKENS - len(kept)),
            "length": [len(kept)],
            "label": [labels.index(row["label"])],
            **({"cut_token_ids": cut} if cut else {}),
            **({"unknown_tokens": unknown} if unknown else {}),
        }
    found = {}
    for split, record in serialized(dataset).elements():
        example = read_example(record)
        [document_id] = example.pop("document_id")
        assert document_id.decode() not in found
        found[document_id.decode()] = {"split": split, **example}
    assert found == expected
    assert {each["split"] for each in found.values()} == {"train", "validation", "test"}


def test_the_rejections_are_written_and_every_row_is_accounted_for(
    dataset: Dataset, config: Config
) -> None:
    manifest = read_json(FILES, dataset.files.manifest)
    assert manifest["stage"] == "prepare"
    assert manifest["status"] == "done"
    assert manifest["rows"] == {
        "read": len(ROWS),
        "used": len(ROWS) - 3,
        "rejected": dict.fromkeys(REJECTED.values(), 1),
    }
    [account] = manifest["inputs"]
    path = config.corpus.inputs[0].path.replace("*", "part-0")
    assert account == {
        "file": path,
        "bytes": Path(path).stat().st_size,
        "rows_read": len(ROWS),
        "rows_used": len(ROWS) - 3,
        "rows_rejected": 3,
    }
    rejections = rejections_in(dataset.files)
    assert {row["document_id"]: row["reason"] for row in rejections} == REJECTED
    [again] = [row for row in rejections if row["document_id"] == "t3"]
    assert again["source_row"] == 150


def test_the_outputs_in_the_manifest_are_the_files_on_disk(dataset: Dataset) -> None:
    for output in dataset.manifest["outputs"]:
        path = Path(dataset.files.folder) / output["file"]
        assert output["bytes"] == path.stat().st_size
        assert output["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    rows = {
        split: sum(len(read_records(path)) for path in dataset.shards(split))
        for split in ("train", "validation", "test")
    }
    assert rows == {split: dataset.rows(split) for split in rows}
    assert sum(rows.values()) == len(ROWS) - 3
    assert sorted(path.name for path in Path(dataset.files.folder).iterdir()) == [
        "examples",
        "labels.txt",
        "manifest.json",
        "rejected",
        "report.html",
        "samples.jsonl",
        "statistics.json",
        "transform",
        "vocabulary.txt",
    ]


def test_the_statistics_are_those_of_the_documents(dataset: Dataset) -> None:
    statistics = read_json(FILES, dataset.files.statistics)
    assert statistics == json.loads(json.dumps(dataset.statistics))
    assert statistics["vocabulary_ids"] == 62
    assert statistics["rejected"] == dict.fromkeys(REJECTED.values(), 1)
    # The repeated ticket and the one in capitals fall where their texts have fallen before.
    within = statistics["duplicates"]["within"]
    assert sum(within.values()) == 2
    assert statistics["duplicates"]["across"] == {}
    scripts: Counter[str] = sum(
        (Counter(each["scripts"]) for each in statistics["splits"].values()), Counter()
    )
    assert scripts["Latin"] > 100
    assert scripts.total() == len(ROWS) - 3
    assert statistics["rows_repaired"] == 0
    documents = {split: each["documents"] for split, each in statistics["splits"].items()}
    kept = [row["text"] for row in (*ROWS[:150], ROWS[-1])]
    assert documents == Counter(map(expected_split, kept))


def test_a_second_prepare_reuses_the_first(config: Config, dataset: Dataset) -> None:
    before = Path(dataset.files.manifest).stat().st_mtime_ns
    again = run(config)
    assert again.reused
    assert not dataset.reused
    assert again.files == dataset.files
    assert again.shards("train") == dataset.shards("train")
    assert Path(dataset.files.manifest).stat().st_mtime_ns == before


def test_a_head_that_cannot_learn_a_reused_dataset_is_refused(
    workspace: Path, config: Config, dataset: Dataset
) -> None:
    path = config.corpus.inputs[0].path
    with pytest.raises(ConfigError, match=r"^network\.head: expected softmax for 3 labels"):
        run(small_config(workspace / "runs", path, "network.head=sigmoid"))


def test_four_files_in_many_units_give_the_same_examples(
    workspace: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(divide_files.__kwdefaults__, "part_bytes", 2_000)
    monkeypatch.setitem(group_units.__kwdefaults__, "unit_bytes", 1_000)
    path = write_corpus(workspace / "four", ROWS, files=4)
    other = run(small_config(workspace / "runs", path))
    assert other.files.folder != dataset.files.folder
    assert len(other.manifest["inputs"]) == 4
    assert vocabulary_of(other) == vocabulary_of(dataset)
    assert serialized(other) == serialized(dataset)
    assert other.statistics == dataset.statistics


def test_the_order_of_rows_changes_nothing_but_the_order_of_examples(
    workspace: Path, dataset: Dataset
) -> None:
    rows = random.Random(3).sample(ROWS, len(ROWS))  # noqa: S311
    config = small_config(workspace / "runs", write_corpus(workspace / "shuffled", rows))
    inputs = find_input_files(FILES, config.corpus)
    folder = join(config.workspace, "datasets", dataset_fingerprint(config, inputs, files=FILES))
    # What a run that was killed has left must not show.
    write_text(FILES, join(folder, "manifest.json"), '{"status": "do')
    write_text(FILES, join(folder, "rejected/old.parquet"), "old")
    write_text(FILES, join(folder, "examples/train-00007-of-00009.tfrecord.gz"), "old")
    other = run(config)
    assert other.files.folder == folder
    assert vocabulary_of(other) == vocabulary_of(dataset)
    assert other.labels == dataset.labels
    assert serialized(other) == serialized(dataset)
    samples = read_lines(FILES, dataset.files.samples)
    assert read_lines(FILES, other.files.samples) == samples
    assert len(samples) == len(ROWS) - 3
    assert {row["document_id"] for row in rejections_in(other.files)} == set(REJECTED)
    assert len(list((Path(folder) / "examples").iterdir())) == 3


def test_lists_of_labels_weights_rationales_and_reserved_tokens(workspace: Path) -> None:
    rows = [
        {
            "id": str(index),
            "text": "Refund <E1> now",
            "labels": ["x", "y"] if index % 2 else [],
            "w": 2.0 if index % 2 else None,
            "why": "Refund",
        }
        for index in range(6)
    ]
    path = write_corpus(workspace / "several", rows)
    dataset = run(
        small_config(
            workspace / "runs",
            path,
            "corpus.columns={id: id, labels: labels, weight: w, rationale: why}",
            f"corpus.inputs=[{{path: '{path}', split: train}}]",
            "corpus.splits={validation: 0}",
            "network.head=multilabel",
            "text.protected=['<E1>']",
            "text.reserved_tokens=['<E1>', '<e1>', 'Never']",
        )
    )
    assert vocabulary_of(dataset)[:2] == ["<e1>", "never"]
    assert sorted(vocabulary_of(dataset)[2:]) == ["now", "refund"]
    examples = [read_example(record) for _, record in serialized(dataset).elements()]
    assert len(examples) == 6
    for example in examples:
        [document_id] = example["document_id"]
        odd = int(document_id) % 2
        assert example["label"] == ([1, 1] if odd else [0, 0])
        assert example["weight"] == ([2.0] if odd else [1.0])
        assert example["rationale"] == [1, 0, 0, 0, 0, 0, 0, 0]
        assert example["token_ids"][1] == 2
    assert dataset.layout.multilabel
    assert dataset.statistics["splits"]["train"]["oov_rate"] == 0


def test_the_first_tokens_of_the_word_vectors_that_training_lacks_are_added(
    workspace: Path,
) -> None:
    rows = [{"id": str(index), "text": "now", "label": "xy"[index % 2]} for index in range(4)]
    path = write_corpus(workspace / "vectors", rows)
    vectors = workspace / "vectors.txt"
    words = ["now", "Never", "soon", "soon", "b\xa0d", "later", "last", "end"]
    vectors.write_text("".join(f"{word} 1 2\n" for word in words), encoding="utf-8")
    options = (
        f"corpus.inputs=[{{path: '{path}', split: train}}]",
        "corpus.splits={validation: 0}",
        "text.reserved_tokens=['<e1>']",
        f"network.embedding={{units: 2, vectors: '{vectors}'}}",
        "text.vector_tokens=3",
    )
    config = small_config(workspace / "runs", path, *options)
    dataset = run(config)
    assert vocabulary_of(dataset) == ["<e1>", "now", "soon", "later", "last"]
    vectors.write_text("now 1 2\n", encoding="utf-8")
    assert vocabulary_of(run(config)) == ["<e1>", "now"]
    with pytest.raises(ConfigError, match=r"text\.vector_tokens: expected 0 without"):
        small_config(workspace / "runs", path, "text.vector_tokens=3")


def test_a_quick_run_of_even_shards_and_shares(workspace: Path) -> None:
    path = write_corpus(workspace / "quick", ROWS, files=2)
    dataset = run(
        small_config(
            workspace / "runs",
            path,
            "corpus.limit=100",
            "corpus.shards=2",
            "corpus.splits.stratify=true",
        )
    )
    assert dataset.manifest["rows"] == {"read": 100, "used": 100, "rejected": {}}
    assert [account["rows_read"] for account in dataset.manifest["inputs"]] == [50, 50]
    for split in ("train", "validation", "test"):
        assert len(dataset.shards(split)) == 2
    labels = Counter(str(row["label"]) for row in (*ROWS[:50], *ROWS[77:127]))
    for label in dataset.labels:
        for split in ("validation", "test"):
            count = dataset.statistics["splits"][split]["labels"][label]
            assert abs(count - 0.2 * labels[label]) <= 1


def test_the_number_of_tokens_is_chosen_from_the_lengths_of_training(workspace: Path) -> None:
    rows = [
        {"id": f"{split}{index}", "text": "so " * tokens, "label": "ab"[index % 2], "split": split}
        for split, lengths in {
            # 95 of 100 documents have at most 17 tokens. Documents that are rejected for having
            # none, and those of other splits, must not count.
            "train": [*range(1, 18), *[17] * 78, *[500] * 5, *[0] * 20],
            "test": [900] * 40,
        }.items()
        for index, tokens in enumerate(lengths)
    ]
    path = write_corpus(workspace / "lengths", rows, files=3)
    overrides = ("corpus.columns.split=split", "corpus.max_rejected_fraction=0.2")
    config = small_config(workspace / "runs", path, *overrides, "text.max_tokens=auto")
    dataset = run(config)
    assert dataset.chose_max_tokens
    assert dataset.text == dataclasses.replace(dataset.text, max_tokens=24)
    assert read_json(FILES, dataset.files.manifest)["text"]["max_tokens"] == 24
    widths = {
        len(read_example(record)["token_ids"]) for _, record in serialized(dataset).elements()
    }
    assert widths == {24}
    assert dataset.statistics["splits"]["train"]["truncated_documents"] == 5
    again = run(config)
    assert again.reused
    assert again.text == dataset.text
    # The same number, configured: another dataset with the same examples.
    fixed = run(small_config(workspace / "runs", path, *overrides, "text.max_tokens=24"))
    assert not fixed.chose_max_tokens
    assert fixed.files != dataset.files
    assert fixed.text == dataset.text
    assert serialized(fixed) == serialized(dataset)


def test_a_fingerprint_changes_with_content_and_config_only(
    workspace: Path, config: Config
) -> None:
    def of(config: Config) -> str:
        return dataset_fingerprint(config, find_input_files(FILES, config.corpus), files=FILES)

    path = config.corpus.inputs[0].path
    first = of(config)
    assert of(small_config(workspace / "elsewhere", path, "training.epochs=3")) == first
    assert of(small_config(workspace / "runs", path, "text.max_tokens=9")) != first
    assert of(small_config(workspace / "runs", path, "corpus.splits.test=0.1")) != first
    file = Path(path.replace("*", "part-0"))
    content = file.read_bytes()
    file.write_bytes(content.replace(b"t149", b"T149"))
    try:
        assert of(config) != first
    finally:
        file.write_bytes(content)
