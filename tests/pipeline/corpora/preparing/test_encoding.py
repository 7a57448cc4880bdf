from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ResolvedTextConfig
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary
from model.training.shards import Shards, read_examples
from pipeline.corpora.preparing import encoding
from pipeline.corpora.preparing.encoding import DocumentEncoder, EncodedBatch, ExampleLayout
from tests.model.training.made_up_examples import texts_of
from tests.model.training.shard_files import write_shard
from tests.pipeline.batches import make_documents
from tests.pipeline.examples import read_example

LABELS = ("neg", "pos")
KNOWN = ["good", "bad", "日", "."]
TEXT = ResolvedTextConfig(max_tokens=4)


def encode(
    *rows: dict[str, Any], text: ResolvedTextConfig = TEXT, layout: ExampleLayout | None = None
) -> EncodedBatch:
    encoder = DocumentEncoder(
        text,
        vocabulary=Vocabulary(KNOWN, oov_buckets=1),
        labels=LABELS,
        layout=layout or ExampleLayout(),
    )
    return encoder.encode(make_documents(*({"split": "train", "label": "pos", **r} for r in rows)))


def examples_of(encoded: EncodedBatch, split: str = "train") -> list[dict[str, Any]]:
    return [read_example(serialized) for serialized in encoded.examples.get(split, [])]


def reasons_of(encoded: EncodedBatch) -> list[tuple[str, str]]:
    return [
        (row["document_id"], row["reason"])
        for rejections in encoded.rejections
        for row in rejections.to_pylist()
    ]


def encode_one(text: str, *, config: ResolvedTextConfig) -> tuple[dict[str, Any], int, int]:
    """The features of a text, its length and its dropped tokens, by a plain computation."""
    [tokens] = Tokenizer(config).tokenize(pa.array([text])).folded().to_pylist()
    ids = {token: index + 2 for index, token in enumerate(KNOWN)}
    kept = tokens[: config.max_tokens]
    padding = [0] * (config.max_tokens - len(kept))
    features = {
        "token_ids": [ids.get(token, 1) for token in kept] + padding,
        "length": [len(kept)],
        "cut_token_ids": [ids.get(token, 1) for token in tokens[config.max_tokens :]],
        "unknown_tokens": [token.encode() for token in tokens if token not in ids],
    }
    features = {name: values for name, values in features.items() if values}
    return features, len(kept), len(tokens) - len(kept)


WORDS = st.lists(st.sampled_from(["Good", "bad", "new", "日", ".", "  "]), max_size=8)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": WORDS.map(" ".join),
                "label": st.sampled_from(["neg", "pos", "other", None]),
                "split": st.sampled_from(["train", "validation", "test"]),
            }
        ),
        max_size=12,
    )
)
def test_encoding_equals_a_plain_loop(rows: list[dict[str, Any]]) -> None:
    rows = [{"document_id": f"d{index}", **row} for index, row in enumerate(rows)]
    examples: dict[str, list[dict[str, Any]]] = {}
    reasons = []
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        features, length, truncated = encode_one(row["text"], config=TEXT)
        if row["label"] not in LABELS:
            reasons.append((row["document_id"], "unknown_label"))
            continue
        if not length:
            reasons.append((row["document_id"], "empty_text"))
            continue
        examples.setdefault(row["split"], []).append(
            {
                **features,
                "label": [LABELS.index(row["label"])],
                "document_id": [row["document_id"].encode()],
            }
        )
        counts.setdefault(row["split"], Counter()).update(
            documents=1,
            tokens=length,
            oov_tokens=features["token_ids"].count(1),
            truncated_documents=int(truncated > 0),
            truncated_tokens=truncated,
        )

    encoded = encode(*rows)
    assert {split: examples_of(encoded, split) for split in encoded.examples} == examples
    assert sorted(reasons_of(encoded)) == sorted(reasons)
    used = [row["document_id"] for row in rows if row["document_id"] not in dict(reasons)]
    assert encoded.documents.column("document_id").to_pylist() == used
    found = {
        split: Counter({name: of_split[name] for name in counts[split]})
        for split, of_split in encoded.counts["splits"].items()
    }
    assert found == counts


def test_labels_and_lengths_are_counted_by_split() -> None:
    encoded = encode(
        {"text": "good bad", "label": "pos"},
        {"text": "bad", "label": "neg"},
        {"text": "good good good good good good", "label": "neg"},
        {"text": "new", "label": "neg", "split": "test"},
    )
    train, test = encoded.counts["splits"]["train"], encoded.counts["splits"]["test"]
    assert train["labels"] == {"pos": 1, "neg": 2}
    assert train["lengths"] == {"1": 1, "2": 1, "6": 1}
    assert test["labels"] == {"neg": 1}
    assert test["lengths"] == {"1": 1}


@pytest.mark.parametrize(
    ("cut", "kept", "lost"),
    [
        ("head", [2, 3, 4, 5], [1, 2]),
        ("tail", [4, 5, 1, 2], [2, 3]),
        ("head+tail", [2, 3, 1, 2], [4, 5]),
    ],
)
def test_a_long_text_is_cut_where_the_config_says(
    cut: Any, kept: list[int], lost: list[int]
) -> None:
    config = ResolvedTextConfig(max_tokens=4, cut=cut)
    [example] = examples_of(encode({"text": "good bad 日 . NEW good"}, text=config))
    assert example["token_ids"] == kept
    assert example["length"] == [4]
    assert example["cut_token_ids"] == lost
    assert example["unknown_tokens"] == [b"new"]


@pytest.mark.parametrize("cut", ["head", "tail", "head+tail"])
def test_of_a_very_long_text_the_first_cut_tokens_are_stored(
    cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "MAX_CUT_TOKENS", 3)
    config = ResolvedTextConfig(max_tokens=2, cut=cut)
    texts = ["a b good d e bad g", "a b c", "good good good h i j k"]
    examples = examples_of(encode(*({"text": text} for text in texts), text=config))
    lost = {
        "head": ([2, 1, 1], [1], [2, 1, 1]),
        "tail": ([1, 1, 2], [1], [2, 2, 2]),
        "head+tail": ([1, 2, 1], [1], [2, 2, 1]),
    }[cut]
    unknown = {
        "head": (b"a b d e", b"a b c", b"h i"),
        "tail": (b"a b g", b"a b c", b"j k"),
        "head+tail": (b"a b d g", b"a b c", b"h k"),
    }[cut]
    assert [tuple(example["cut_token_ids"]) for example in examples] == [tuple(row) for row in lost]
    assert [b" ".join(example["unknown_tokens"]) for example in examples] == list(unknown)


@given(
    st.lists(st.lists(st.sampled_from(["good", "bad", "日", "New", "É", "x"]), min_size=1)),
    st.sampled_from(["head", "tail", "head+tail"]),
    st.integers(1, 6),
)
def test_examples_hold_the_whole_documents(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], cut: Any, max_tokens: int
) -> None:
    """Text -> examples -> a shard -> the tokens of the text."""
    text = ResolvedTextConfig(max_tokens=max_tokens, cut=cut)
    encoded = encode(*({"text": " ".join(row)} for row in rows), text=text)
    folder = tmp_path_factory.mktemp("shards")
    path = write_shard(folder / "0.gz", encoded.examples.get("train", []))
    shards = Shards(paths=(path,), rows=len(rows), max_tokens=max_tokens, oov_buckets=1)
    examples = read_examples(shards, scratch=folder)
    ids, offsets = examples.whole_documents(cut)
    unknown = [token.decode() for token in texts_of(examples.unknown)]
    found = []
    for row in range(len(rows)):
        of_row = iter(unknown[slice(*examples.unknown_offsets[row : row + 2])])
        document = ids[slice(*offsets[row : row + 2])]
        found.append([next(of_row) if token == 1 else KNOWN[token - 2] for token in document])
        assert list(of_row) == []
    assert found == [[token.lower() for token in row] for row in rows]


def test_rejections_name_the_label_that_came() -> None:
    encoded = encode(
        {"text": "good", "label": "maybe"},
        {"text": "good", "label": None},
        {"text": " \u3000"},
        {"text": "good"},
    )
    details = [row["detail"] for rejections in encoded.rejections for row in rejections.to_pylist()]
    assert details == [
        "expected a label of the training split, got 'maybe'",
        "expected a label, got none",
        "expected at least one token, got only white space or markup, which is dropped",
    ]


def test_a_label_with_a_line_end_is_said_to_have_one() -> None:
    encoded = encode({"text": "good", "label": "two\nlines"}, {"text": "good", "label": "x"})
    assert sorted(reasons_of(encoded)) == [("d0", "malformed_row"), ("d1", "unknown_label")]
    details = [row["detail"] for rejections in encoded.rejections for row in rejections.to_pylist()]
    assert "expected a label without a line end, got 'two\\nlines'" in details
    encoded = encode({"text": "good", "labels": ["pos", "two\nlines"]}, layout=MULTILABEL)
    assert reasons_of(encoded) == [("d0", "malformed_row")]


def test_a_row_with_two_faults_is_rejected_once() -> None:
    encoded = encode({"text": " ", "label": "maybe"})
    assert reasons_of(encoded) == [("d0", "unknown_label")]
    assert encoded.examples == {}
    assert encoded.counts == {"splits": {}}


MULTILABEL = ExampleLayout(multilabel=True)


def test_several_labels_become_a_multi_hot_vector() -> None:
    rows: Sequence[list[str] | None] = (
        ["pos"],
        ["pos", "neg"],
        [],
        ["neg", "neg"],
        None,
        ["pos", "x"],
    )
    encoded = encode(*({"text": "good", "labels": labels} for labels in rows), layout=MULTILABEL)
    assert [example["label"] for example in examples_of(encoded)] == [
        [0, 1],
        [1, 1],
        [0, 0],
        [1, 0],
    ]
    assert reasons_of(encoded) == [("d4", "unknown_label"), ("d5", "unknown_label")]
    assert encoded.counts["splits"]["train"]["labels"] == {"pos": 2, "neg": 3}


def soft(**probabilities: float) -> list[dict[str, Any]]:
    return [{"label": label, "probability": number} for label, number in probabilities.items()]


def test_soft_labels_stand_beside_or_in_place_of_the_label() -> None:
    encoded = encode(
        {"text": "good", "soft_labels": soft(pos=0.75, neg=0.25)},
        {"text": "good", "label": None, "soft_labels": soft(neg=1)},
        {"text": "good"},
        {"text": "good", "label": None},
        {"text": "good", "label": "maybe", "soft_labels": soft(neg=1)},
        {"text": "good", "soft_labels": soft(neg=0.5, maybe=0.5)},
        {"text": "good", "soft_labels": soft(neg=0)},
        {"text": " ", "soft_labels": soft(neg=1)},
        layout=ExampleLayout(probabilities=True),
    )
    examples = examples_of(encoded)
    assert [example["label"] for example in examples] == [[1], [-1], [1]]
    assert [example.get("probabilities") for example in examples] == [[0.25, 0.75], [1, 0], None]
    assert reasons_of(encoded) == [
        ("d3", "unknown_label"),
        ("d4", "unknown_label"),
        ("d5", "unknown_label"),
        ("d6", "malformed_row"),
        ("d7", "empty_text"),
    ]
    counts = encoded.counts["splits"]["train"]
    assert counts["labels"] == {"pos": 2}
    assert counts["soft_labels"] == 2
    assert counts["without_label"] == 1


def test_soft_labels_of_several_labels_need_not_sum_to_1() -> None:
    encoded = encode(
        {"text": "good", "labels": ["neg"], "soft_labels": soft(pos=1, neg=1)},
        {"text": "good", "labels": None, "soft_labels": soft(pos=0.5)},
        {"text": "good", "labels": None},
        layout=ExampleLayout(multilabel=True, probabilities=True),
    )
    examples = examples_of(encoded)
    assert [example["label"] for example in examples] == [[1, 0], [-1, -1]]
    assert [example["probabilities"] for example in examples] == [[1, 1], [0, 0.5]]
    assert reasons_of(encoded) == [("d2", "unknown_label")]


def test_a_weight_is_1_where_none_was_given() -> None:
    layout = ExampleLayout(weight=True)
    encoded = encode({"text": "good", "weight": 2.5}, {"text": "bad"}, layout=layout)
    assert [example["weight"] for example in examples_of(encoded)] == [[2.5], [1.0]]


def test_a_rationale_becomes_a_padded_mask() -> None:
    layout = ExampleLayout(rationale=True)
    encoded = encode(
        {"text": "good bad 日", "rationale": [{"start": 5, "end": 10}]},
        {"text": "good"},
        layout=layout,
    )
    assert [example["rationale"] for example in examples_of(encoded)] == [
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]


@pytest.mark.parametrize("multilabel", [False, True])
def test_an_empty_batch_encodes_to_nothing(multilabel: bool) -> None:
    layout = ExampleLayout(multilabel=multilabel, weight=True, rationale=True)
    encoded = encode(layout=layout)
    assert encoded.examples == {}
    assert encoded.rejections == []
    assert encoded.documents.num_rows == 0


def test_the_neighbors_in_a_batch_do_not_matter() -> None:
    rows = [{"document_id": str(i), "text": " ".join(KNOWN[: i % 5 + 1])} for i in range(50)]
    together = encode(*rows).examples["train"]
    assert together == [example for row in rows for example in encode(row).examples["train"]]
