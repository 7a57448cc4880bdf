"""Markers are looked up in the vocabulary, and refused where they would never be found."""

import pytest

from model.config import ConfigError, TextConfig
from model.text.markers import check_markers, marker_ids
from model.text.vocabulary import Vocabulary

ENTITIES = (("<E1>", "</e1>"), ("<e2>", "</e2>"))
TEXT = TextConfig(
    protected=("</?[eE][12]>",), reserved_tokens=("<e1>", "</e1>", "<e2>", "</e2>"), oov_buckets=2
)


def test_ids_are_those_of_the_folded_markers():
    vocabulary = Vocabulary(["the", "<e1>", "</e1>", "<e2>", "</e2>"], oov_buckets=2)
    assert marker_ids(ENTITIES, TEXT, vocabulary) == ((4, 5), (6, 7))
    assert marker_ids((), TEXT, vocabulary) == ()
    check_markers(ENTITIES, TEXT)


def test_a_marker_of_several_tokens_is_refused():
    with pytest.raises(ConfigError, match=r"got '<E1>', which is 3\. .* text\.protected"):
        check_markers(ENTITIES, TextConfig(reserved_tokens=TEXT.reserved_tokens))


def test_a_marker_that_is_not_reserved_is_refused():
    text = TextConfig(protected=TEXT.protected, reserved_tokens=("<e1>", "</e1>", "<e2>"))
    with pytest.raises(ConfigError, match=r"got '</e2>', which it lacks\. .*reserved_tokens"):
        check_markers(ENTITIES, text)
