"""The ways in which rows of the demo corpus are damaged, so that readers must reject them."""

import json
import random
from collections.abc import Callable

from pipeline.schemas import RejectionReason

_ROWS_PER_DAMAGED_ROW = 250  # 0.4 % damaged rows; a run fails above 1 % by default

# The reason for which a reader must reject the row, and the function that damages it.
Damage = tuple[RejectionReason, Callable[[bytes], bytes]]


def plan_damages(rng: random.Random, *, documents: int) -> dict[int, Damage]:
    """Chooses the rows to damage, by index: random rows, each kind of damage in turn."""
    places = rng.sample(range(documents), documents // _ROWS_PER_DAMAGED_ROW)
    return {place: _DAMAGES[turn % len(_DAMAGES)] for turn, place in enumerate(places)}


def _cut_off(row: bytes) -> bytes:
    return row[: row.index(b'"text"') + 20]


def _put_in_list(row: bytes) -> bytes:
    return b"[" + row + b"]"


def _break_utf8(row: bytes) -> bytes:
    return row.replace(b'"text": "', b'"text": "\xff\xfe', 1)


def _drop_text(row: bytes) -> bytes:
    fields = json.loads(row)
    del fields["text"]
    return json.dumps(fields).encode()


def _null_text(row: bytes) -> bytes:
    return json.dumps({**json.loads(row), "text": None}).encode()


def _blank_text(row: bytes) -> bytes:
    return json.dumps({**json.loads(row), "text": " \t  "}).encode()


_DAMAGES: tuple[Damage, ...] = (
    ("malformed_row", _cut_off),
    ("not_utf8", _break_utf8),
    ("missing_column", _drop_text),
    ("empty_text", _null_text),
    ("empty_text", _blank_text),
    ("malformed_row", _put_in_list),
)
