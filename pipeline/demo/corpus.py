"""A made-up corpus of support tickets whose right answers are known, word by word.

Every ticket is shared small talk around one to three planted cues ("double
charge", "Paket", "故障"), and the cues alone decide the label. Their character
spans are the ticket's `rationale`, so a demo can say how much attention fell
on the words that mattered. To be worth reading the corpus is not clean: some
tickets name another label's cue only to deny it, one label in a hundred is
wrong, tickets come in German, Arabic, Chinese, Thai and emoji as well, and a
few rows are damaged.
"""

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.demo.phrases import KITS, LABELS, PhraseKit
from pipeline.schemas import RejectionReason

_FILES = 3
_ROWS_A_BAD_ONE = 250  # 0.4 %, below the default limit of 1 % rejected
_WRONG_LABELS = 0.01
_DENIALS = 0.08


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoCorpus:
    """What was written: `rows` lines in `paths`, of which `bad_rows` counts the damaged ones."""

    paths: tuple[Path, ...]
    rows: int
    bad_rows: Mapping[RejectionReason, int]
    labels: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Ticket:
    text: str
    label: str
    rationale: tuple[tuple[int, int], ...]


def generate_demo_corpus(directory: Path, *, documents: int = 3_000, seed: int = 1) -> DemoCorpus:
    """Writes tickets as JSON lines with `id`, `text`, `label` and `rationale`.

    The same arguments write the same bytes. `rationale` lists `{start, end}`
    in characters (code points) of `text`, in order. One row in 250 is damaged:
    JSON torn or of another shape, invalid UTF-8, text absent, null or blank.

    Args:
        directory: made if it is not there; files of an earlier call are replaced.
        documents: rows written in all, the damaged ones included.
        seed: another seed, another corpus.
    """
    # Reproducible rather than unpredictable: nothing here is secret.
    rng = random.Random(seed)  # noqa: S311
    damages = _plan_damages(rng, documents=documents)
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
        ticket = _write_ticket(rng)
        row = {
            "id": f"ticket-{index + 1:05d}",
            "text": ticket.text,
            "label": ticket.label,
            "rationale": [{"start": start, "end": end} for start, end in ticket.rationale],
        }
        yield json.dumps(row, ensure_ascii=False).encode()


def _write_ticket(rng: random.Random) -> _Ticket:
    """Small talk, one to three cues, perhaps a denial, in one language."""
    kit = rng.choices(KITS, weights=[kit.share for kit in KITS])[0]
    label, other = rng.sample(LABELS, 2)
    denies = rng.random() < _DENIALS
    # A denied cue is outvoted, so that a bag of words is uncertain and context decides.
    mentions = rng.randint(2, 3) if denies else rng.choices((1, 2, 3), weights=(4, 5, 1))[0]
    cues = rng.sample(kit.cues[label], mentions)

    sentences: list[tuple[str, str | None]] = [
        (template, cue)
        for template, cue in zip(rng.sample(kit.mentions, mentions), cues, strict=True)
    ]
    sentences += [(template, None) for template in rng.sample(kit.fillers, rng.randint(1, 4))]
    if denies:
        denial = rng.choice(kit.denials).replace("{cue}", rng.choice(kit.cues[other]))
        sentences.append((denial, None))
    rng.shuffle(sentences)
    sentences.insert(0, (rng.choice(kit.openings), None))

    text, spans = "", []
    for template, cue in sentences:
        sentence = _fill(template, kit=kit, rng=rng)
        if cue is not None:
            start = len(text) + sentence.index("{cue}")
            spans.append((start, start + len(cue)))
            sentence = sentence.replace("{cue}", cue)
        text += sentence + kit.gap
    if rng.random() < _WRONG_LABELS:
        label = other
    return _Ticket(text=text.rstrip(), label=label, rationale=tuple(spans))


def _fill(template: str, *, kit: PhraseKit, rng: random.Random) -> str:
    """The template with a day, a name and numbers put in; `{cue}` stays."""
    return (
        template.replace("{day}", rng.choice(kit.days))
        .replace("{name}", rng.choice(kit.names))
        .replace("{number}", str(rng.randint(10_000, 99_999)))
        .replace("{count}", str(rng.randint(2, 12)))
    )


def _tear(row: bytes) -> bytes:
    return row[: row.index(b'"text"') + 20]


def _list_instead(row: bytes) -> bytes:
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


_Damage = tuple[RejectionReason, Callable[[bytes], bytes]]
_DAMAGES: tuple[_Damage, ...] = (
    ("malformed_row", _tear),
    ("not_utf8", _break_utf8),
    ("missing_column", _drop_text),
    ("empty_text", _null_text),
    ("empty_text", _blank_text),
    ("malformed_row", _list_instead),
)


def _plan_damages(rng: random.Random, *, documents: int) -> dict[int, _Damage]:
    """Which rows are damaged, and how: every kind in turn, at random places."""
    places = rng.sample(range(documents), documents // _ROWS_A_BAD_ONE)
    return {place: _DAMAGES[turn % len(_DAMAGES)] for turn, place in enumerate(places)}
