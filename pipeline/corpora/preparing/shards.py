"""TFRecord shards, planned from pieces whose sizes are known.

A unit's examples of one split become one piece, written without a shuffle. A shard joins
neighboring pieces. A gzip file may consist of several members, so pieces are joined by copying
their bytes.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.config.inputs import SPLITS
from pipeline.storage.files import join
from pipeline.storage.staging import StagedFile

SHARD_BYTES = 100 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a shard: examples of one unit and one split.

    Attributes:
        split: the split of the examples.
        unit: the index of the unit.
        shard: the number of the shard that the piece belongs to, if the number of shards is
            configured; otherwise 0, and `plan_shards` decides by size.
        file: the staged file of the piece.
    """

    split: str
    unit: int
    shard: int = 0
    file: StagedFile


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shard:
    """A TFRecord file that is to be written.

    Attributes:
        order: its position among the shards of all splits.
        path: where it is written.
        pieces: the pieces to join, in order.
    """

    order: int
    path: str
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """Examples in the shard."""
        return sum(piece.file.rows for piece in self.pieces)


def deal_examples(
    examples: Sequence[bytes], *, first: int, shards: int
) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Gives the examples to the shards in turn, one by one; yields `(shard, examples)`.

    Args:
        examples: serialized examples of one split.
        first: the number of the shard, modulo `shards`, that gets the first example.
        shards: the number of shards; a shard that gets no example is left out.
    """
    for shard in range(shards):
        dealt = examples[(shard - first) % shards :: shards]
        if dealt:
            yield shard, dealt


def plan_shards(
    pieces: Sequence[Piece],
    *,
    folder: str,
    shards: int | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> list[Shard]:
    """Joins the pieces of each split into shards.

    Args:
        pieces: of all splits, in any order.
        folder: where the shards are written.
        shards: the configured number of shards; `Piece.shard` then tells the shard of a piece.
            None: neighboring pieces are joined until they have `shard_bytes`.
        shard_bytes: the size at which a shard is full.
    """
    planned: list[Shard] = []
    for split in SPLITS:
        in_split = sorted((piece for piece in pieces if piece.split == split), key=_unit)
        if shards is None:
            groups = _group_by_size(in_split, shard_bytes=shard_bytes)
        else:
            groups = _group_by_shard(in_split)
        planned += [
            Shard(
                order=len(planned) + index,
                path=join(folder, f"{split}-{index:05d}-of-{len(groups):05d}.tfrecord.gz"),
                pieces=tuple(group),
            )
            for index, group in enumerate(groups)
        ]
    return planned


def _group_by_size(pieces: Sequence[Piece], *, shard_bytes: int) -> list[list[Piece]]:
    groups: list[list[Piece]] = []
    size = 0
    for piece in pieces:
        if not groups or size >= shard_bytes:
            groups.append([])
            size = 0
        groups[-1].append(piece)
        size += piece.file.bytes
    return groups


def _group_by_shard(pieces: Sequence[Piece]) -> list[list[Piece]]:
    groups: dict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.shard].append(piece)
    return [groups[shard] for shard in sorted(groups)]


def _unit(piece: Piece) -> int:
    return piece.unit
