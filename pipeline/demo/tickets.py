"""Generated support tickets: small talk around the cues that decide the label."""

import dataclasses
import random

from pipeline.demo.phrases import KITS, LABELS, PhraseKit

_WRONG_LABELS = 0.01  # share of tickets with another label than that of their cues
_DENIALS = 0.08  # share of tickets that name a cue of another label only to deny it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ticket:
    """A support ticket.

    Attributes:
        text: the message, in one language.
        label: the label of its cues; a wrong one in one of a hundred tickets.
        rationale: the `(start, end)` character spans of the cues in `text`, in order.
    """

    text: str
    label: str
    rationale: tuple[tuple[int, int], ...]


def write_ticket(rng: random.Random) -> Ticket:
    """Writes small talk, one to three cues and sometimes a denial, in one language."""
    kit = rng.choices(KITS, weights=[kit.share for kit in KITS])[0]
    label, other = rng.sample(LABELS, 2)
    denies = rng.random() < _DENIALS
    # A ticket with a denied cue has at least two cues of its label. A model that reads a bag of
    # words is then less certain; a model that reads the context can tell which cue is denied.
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
    return Ticket(text=text.rstrip(), label=label, rationale=tuple(spans))


def _fill(template: str, *, kit: PhraseKit, rng: random.Random) -> str:
    """The template with a day, a name and numbers filled in; `{cue}` stays."""
    return (
        template.replace("{day}", rng.choice(kit.days))
        .replace("{name}", rng.choice(kit.names))
        .replace("{number}", str(rng.randint(10_000, 99_999)))
        .replace("{count}", str(rng.randint(2, 12)))
    )
