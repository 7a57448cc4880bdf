import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.preparing.digests import add_digests
from pipeline.corpora.preparing.samples import (
    SAMPLE_CHARACTERS,
    SAMPLE_ROWS,
    Sample,
    sample_documents,
    samples_from_lines,
    samples_to_lines,
    select_samples,
)
from tests.pipeline.batches import make_documents

ROWS = [
    {"document_id": str(index), "text": f"text {index}", "split": "train", "label": "a"}
    for index in range(1_000)
]


def sample(rows: list[dict[str, str]], *, batch_rows: int) -> list[Sample]:
    """The sample of the training split of a corpus that comes in batches."""
    groups = []
    for start in range(0, len(rows), batch_rows):
        batch = add_digests(make_documents(*rows[start : start + batch_rows]))
        groups += list(sample_documents(batch))
    assert {split for split, _ in groups} <= {"train"}
    return select_samples(group for _, group in groups)


def test_a_sample_is_the_documents_with_the_smallest_digests() -> None:
    found = sample(ROWS, batch_rows=1_000)
    digests = add_digests(make_documents(*ROWS)).column("digest").to_pylist()
    order = sorted(range(len(ROWS)), key=digests.__getitem__)[:SAMPLE_ROWS]
    assert [each.document_id for each in found] == [str(index) for index in order]
    assert [each.digest for each in found] == [digests[index].hex() for index in order]


def test_batches_and_the_order_of_rows_do_not_matter() -> None:
    expected = sample(ROWS, batch_rows=1_000)
    assert sample(ROWS[::-1], batch_rows=1_000) == expected
    assert sample(ROWS[500:] + ROWS[:500], batch_rows=17) == expected


def test_samples_are_grouped_by_split_and_very_long_texts_are_left_out() -> None:
    documents = make_documents(
        {"split": "train", "text": "x" * SAMPLE_CHARACTERS, "label": None},
        {"split": "test", "text": "a"},
        {"split": "train", "text": "x" * (SAMPLE_CHARACTERS + 1)},
    )
    found = dict(sample_documents(add_digests(documents)))
    ids = {split: [each.document_id for each in group] for split, group in found.items()}
    assert ids == {"train": ["d0"], "test": ["d1"]}
    assert found["train"][0].label is None


SAMPLES = st.builds(
    Sample,
    digest=st.text("0123456789abcdef", max_size=4),
    split=st.sampled_from(["train", "test"]),
    document_id=st.text(max_size=5),
    text=st.text(max_size=20),
    label=st.none() | st.text(max_size=5),
)


@given(st.lists(SAMPLES))
def test_samples_are_read_back_from_their_lines(samples: list[Sample]) -> None:
    lines = samples_to_lines(samples)
    assert len([json.loads(line) for line in lines.split("\n")[:-1]]) == len(samples)
    read = samples_from_lines(lines)

    def order(each: Sample) -> tuple[str, str, str]:
        return each.split, each.digest, each.document_id

    assert [order(each) for each in read] == sorted(map(order, samples))
    assert sorted(map(repr, read)) == sorted(map(repr, samples))
