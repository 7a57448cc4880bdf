import pytest

from model.config import ConfigError, Head
from pipeline.corpora.preparing.config_checks import check_groups, check_head


def test_a_configured_column_of_groups_without_any_group_is_an_error() -> None:
    check_groups({"grouped": 0}, column=None)
    check_groups({"grouped": 1}, column="author")
    with pytest.raises(ConfigError, match="'author', got none in any row"):
        check_groups({"grouped": 0}, column="author")


@pytest.mark.parametrize(
    ("head", "labels", "multilabel"),
    [("softmax", 2, False), ("softmax", 9, False), ("sigmoid", 2, False), ("multilabel", 3, True)],
)
def test_heads_that_can_learn_the_labels(head: Head, labels: int, multilabel: bool) -> None:
    check_head(head, labels=["label"] * labels, multilabel=multilabel)


@pytest.mark.parametrize(
    ("head", "labels", "multilabel", "message"),
    [
        ("sigmoid", 3, False, "expected softmax for 3 labels, got sigmoid"),
        ("softmax", 3, True, "expected multilabel for the lists"),
        ("sigmoid", 2, True, "expected multilabel for the lists"),
        ("multilabel", 3, False, "expected softmax or sigmoid for one label per document"),
    ],
)
def test_heads_that_cannot_learn_the_labels(
    head: Head, labels: int, multilabel: bool, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        check_head(head, labels=["label"] * labels, multilabel=multilabel)
    assert str(raised.value).startswith(f"network.head: {message}")
