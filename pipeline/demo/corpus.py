"""A generated corpus of support tickets for which the right answers are known.

Every ticket is small talk with one to three cues ("double charge", "Paket", "故障"); only the cues
decide its label. Their character spans are the ticket's `rationale`, so the demo can report which
share of the attention is on the cues. Like a real corpus, this one has errors: some tickets name a
cue of another label only to deny it, one label in a hundred is wrong, some tickets are in German,
Arabic, Chinese, Thai or emoji, and a few rows are damaged.
"""

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.demo.damages import plan_damages
from pipeline.demo.phrases import LABELS
from pipeline.demo.tickets import write_ticket
from pipeline.schemas import RejectionReason

_FILES = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoCorpus:
    """The corpus that `generate_demo_corpus` wrote.

    Attributes:
        paths: its files.
        rows: the number of rows in all files, including the damaged ones.
        bad_rows: the number of damaged rows, by the reason for which they must be rejected.
        labels: the labels of its tickets.
    """

    paths: tuple[Path, ...]
    rows: int
    bad_rows: Mapping[RejectionReason, int]
    labels: tuple[str, ...]


def generate_demo_corpus(directory: Path, *, documents: int = 3_000, seed: int = 1) -> DemoCorpus:
    """Writes tickets as JSON lines with `id`, `text`, `label` and `rationale`.

    The same arguments write the same bytes. `rationale` lists `{start, end}` in characters (code
    points) of `text`, in order. One row in 250 is damaged: its JSON is cut off or not an object,
    its UTF-8 is invalid, or its text is missing, null or blank.

    Args:
        directory: created if it does not exist; the files of an earlier call are replaced.
        documents: the number of rows, including the damaged ones.
        seed: the seed of the random numbers; another seed gives another corpus.
    """
    # The random numbers must be reproducible; they protect no secret.
    rng = random.Random(seed)  # noqa: S311
    damages = plan_damages(rng, documents=documents)
    rows = [
        damages[index][1](row) if index in damages else row
        for index, row in enumerate(_rows(rng, documents=documents))
    ]
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(_FILES):
        path = directory / f"tickets-{number:05d}-of-{_FILES:05d}.jsonl"
        part = rows[number * documents // _FILES : (number + 1) * documents // _FILES]
        path.write_bytes(b"".join(row + b"\n" for row in part))
        paths.append(path)
    return DemoCorpus(
        paths=tuple(paths),
        rows=documents,
        bad_rows=dict(Counter(reason for reason, _ in damages.values())),
        labels=LABELS,
    )


def _rows(rng: random.Random, *, documents: int) -> Iterator[bytes]:
    for index in range(documents):
        ticket = write_ticket(rng)
        row = {
            "id": f"ticket-{index + 1:05d}",
            "text": ticket.text,
            "label": ticket.label,
            "rationale": [{"start": start, "end": end} for start, end in ticket.rationale],
        }
        yield json.dumps(row, ensure_ascii=False).encode()
