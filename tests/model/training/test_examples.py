"""Examples: what is written is parsed again, and equal documents give equal bytes."""

import numpy as np
import tensorflow as tf

from model.training.examples import encode_examples, parse_examples


def _encode(**changes):
    given = {
        "token_ids": np.array([[5, 6, 0], [7, 0, 0]], np.int64),
        "lengths": np.array([2, 1], np.int64),
        "labels": np.array([1, 0], np.int64),
        "document_ids": ["a", "ü"],
    }
    return encode_examples(**{**given, **changes})


def test_written_examples_are_parsed_again():
    parsed = parse_examples(tf.constant(_encode()), max_tokens=3)
    assert parsed["token_ids"].numpy().tolist() == [[5, 6, 0], [7, 0, 0]]
    assert parsed["length"].numpy().tolist() == [2, 1]
    assert parsed["label"].numpy().tolist() == [1, 0]
    assert [value.decode() for value in parsed["document_id"].numpy()] == ["a", "ü"]
    assert parsed["weight"].numpy().tolist() == [1.0, 1.0]


def test_optional_features_are_parsed_again():
    serialized = _encode(
        labels=np.array([[1, 0, 1], [0, 1, 0]]), weights=np.array([0.5, 2.0], np.float32)
    )
    parsed = parse_examples(tf.constant(serialized), max_tokens=3, label_width=3)
    assert parsed["label"].numpy().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert parsed["weight"].numpy().tolist() == [0.5, 2.0]


def test_rationale_is_a_feature_of_the_example():
    [first, _] = _encode(rationales=np.array([[0, 1, 0], [1, 0, 0]]))
    features = tf.train.Example.FromString(first).features.feature
    assert list(features["rationale"].int64_list.value) == [0, 1, 0]
    assert list(features["token_ids"].int64_list.value) == [5, 6, 0]


def test_equal_documents_give_equal_bytes():
    assert _encode() == _encode()
