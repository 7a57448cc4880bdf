from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.preparing.shards import Piece, deal_examples, plan_shards
from pipeline.storage.staging import StagedFile


@given(st.lists(st.binary(max_size=3), max_size=20), st.integers(0, 9), st.integers(1, 7))
def test_examples_are_dealt_out_in_turn(examples: list[bytes], first: int, shards: int) -> None:
    expected: dict[int, list[bytes]] = {}
    for position, example in enumerate(examples):
        expected.setdefault((first + position) % shards, []).append(example)
    assert dict(deal_examples(examples, first=first, shards=shards)) == expected


def test_pieces_with_the_same_shard_number_make_one_shard() -> None:
    pieces = [
        Piece(split="train", unit=unit, shard=shard, file=piece("train", unit, 1).file)
        for unit in (1, 0)
        for shard in (2, 0)
    ]
    shards = plan_shards(pieces, folder="f", shards=3)
    assert [[each.shard for each in shard.pieces] for shard in shards] == [[0, 0], [2, 2]]
    assert [[each.unit for each in shard.pieces] for shard in shards] == [[0, 1], [0, 1]]
    assert [shard.rows for shard in shards] == [2, 2]


def piece(split: str, unit: int, size: int) -> Piece:
    file = StagedFile(path=f"{split}-{unit}", bytes=size, rows=1, sha256="")
    return Piece(split=split, unit=unit, file=file)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["train", "validation", "test"]), st.integers(0, 9), st.integers(1, 50)
        ),
        max_size=20,
    ),
    st.integers(1, 100),
)
def test_shards_hold_neighboring_pieces_until_they_are_full(
    described: list[tuple[str, int, int]], shard_bytes: int
) -> None:
    pieces = [piece(*each) for each in described]
    shards = plan_shards(pieces, folder="f", shard_bytes=shard_bytes)
    assert [shard.order for shard in shards] == list(range(len(shards)))
    for split in ("train", "validation", "test"):
        of_split = [shard for shard in shards if shard.path.startswith(f"f/{split}-")]
        total = len(of_split)
        assert [shard.path for shard in of_split] == [
            f"f/{split}-{index:05d}-of-{total:05d}.tfrecord.gz" for index in range(total)
        ]
        held = [each for shard in of_split for each in shard.pieces]
        assert held == sorted(
            (each for each in pieces if each.split == split), key=lambda each: each.unit
        )
        for shard in of_split:
            sizes = [each.file.bytes for each in shard.pieces]
            assert sum(sizes[:-1]) < shard_bytes
            assert sum(sizes) >= shard_bytes or shard is of_split[-1]
