"""The generated corpus: deterministic, with correct spans of cues, damaged as reported."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipeline.demo.corpus import DemoCorpus, generate_demo_corpus
from pipeline.demo.phrases import KITS, LABELS


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> DemoCorpus:
    return generate_demo_corpus(tmp_path_factory.mktemp("demo"))


def read_rows(corpus: DemoCorpus) -> list[bytes]:
    return [line for path in corpus.paths for line in path.read_bytes().split(b"\n")[:-1]]


def why_unusable(row: bytes) -> str | None:
    """The reason for which a reader must reject a row, decided without the generator."""
    try:
        value = json.loads(row.decode("utf-8"))
    except UnicodeDecodeError:
        return "not_utf8"
    except json.JSONDecodeError:
        return "malformed_row"
    if not isinstance(value, dict):
        return "malformed_row"
    if "text" not in value:
        return "missing_column"
    return None if (value["text"] or "").strip() else "empty_text"


def usable(corpus: DemoCorpus) -> list[dict]:
    return [json.loads(row) for row in read_rows(corpus) if why_unusable(row) is None]


def labels_of_cue(cue: str) -> set[str]:
    return {label for kit in KITS for label, cues in kit.cues.items() if cue in cues}


def test_the_same_seed_gives_the_same_bytes(tmp_path, corpus):
    again = generate_demo_corpus(tmp_path / "again")
    assert [path.read_bytes() for path in again.paths] == [p.read_bytes() for p in corpus.paths]
    other = generate_demo_corpus(tmp_path / "other", seed=2)
    assert not set(read_rows(other)) & set(read_rows(corpus))


def test_rows_and_damages_are_as_reported(corpus):
    rows = read_rows(corpus)
    assert len(rows) == corpus.rows == 3_000
    assert len(corpus.paths) > 1
    found = Counter(reason for row in rows if (reason := why_unusable(row)))
    assert found == corpus.bad_rows
    assert found == {"malformed_row": 4, "not_utf8": 2, "missing_column": 2, "empty_text": 4}


@pytest.mark.parametrize("documents", [0, 1, 249, 1_000])
def test_a_corpus_of_any_size(tmp_path, documents):
    corpus = generate_demo_corpus(tmp_path, documents=documents)
    rows = read_rows(corpus)
    assert len(rows) == corpus.rows == documents
    assert sum(corpus.bad_rows.values()) == documents // 250


def test_ids_and_texts_are_unique_and_labels_balanced(corpus):
    rows = usable(corpus)
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["text"] for row in rows}) > 0.99 * len(rows)
    counts = Counter(row["label"] for row in rows)
    assert set(counts) == set(corpus.labels) == set(LABELS)
    assert min(counts.values()) > 0.2 * len(rows)


def test_the_cues_decide_all_labels_but_about_one_in_a_hundred(corpus):
    rows = usable(corpus)
    wrong = 0
    for row in rows:
        cues = [row["text"][span["start"] : span["end"]] for span in row["rationale"]]
        assert 1 <= len(cues) <= 3
        (label,) = set.intersection(*map(labels_of_cue, cues))
        wrong += label != row["label"]
    assert 0.003 < wrong / len(rows) < 0.02


def test_spans_are_in_order_and_count_characters_not_bytes(corpus):
    after_astral = 0
    for row in usable(corpus):
        edges = [edge for span in row["rationale"] for edge in (span["start"], span["end"])]
        assert edges == sorted(set(edges))
        after_astral += any(ord(character) > 0xFFFF for character in row["text"][: edges[0]])
    assert after_astral > 100  # where UTF-16 units and bytes would both be wrong


def test_no_sentence_contains_a_cue():
    for kit in KITS:
        talk = " ".join((*kit.openings, *kit.fillers, *kit.mentions, *kit.days, *kit.names))
        for cues in kit.cues.values():
            for cue in cues:
                assert cue not in talk
                assert len(labels_of_cue(cue)) == 1


@pytest.mark.parametrize(
    ("script", "first", "last"),
    [("Arabic", 0x600, 0x6FF), ("Han", 0x4E00, 0x9FFF), ("Thai", 0xE00, 0xE7F)],
)
def test_every_script_has_cues_of_its_own(corpus, script, first, last):
    cues = [
        row["text"][span["start"] : span["end"]]
        for row in usable(corpus)
        for span in row["rationale"]
    ]
    written = [cue for cue in cues if all(first <= ord(character) <= last for character in cue)]
    assert len(written) > 50


def test_files_of_an_earlier_call_are_replaced(tmp_path: Path):
    generate_demo_corpus(tmp_path, documents=30)
    corpus = generate_demo_corpus(tmp_path, documents=9)
    assert sorted(tmp_path.iterdir()) == list(corpus.paths)
    assert len(read_rows(corpus)) == 9
