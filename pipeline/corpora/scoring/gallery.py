"""The gallery: example documents that reports show with their predictions."""

import bisect
import dataclasses
import json
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.scoring.scorer import Scorer
from pipeline.corpora.preparing.samples import Sample
from pipeline.corpora.scoring.abstaining import unknown_share
from pipeline.schemas import CONTRIBUTIONS, TOKEN_LISTS

GALLERY_ROWS = 8  # for the most certain documents, and again for the least certain ones

# Of a longer document, a page shows the beginning; of a longer id or label too.
SHOWN_TOKENS = 1_000
SHOWN_CHARACTERS = 20_000
SHOWN_NAME = 300
MORE = " […]"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleDocument:
    """A document with its prediction and its attention.

    Attributes:
        document_id: as in the corpus.
        text: as in the corpus; in a gallery and on a page, the beginning of a long one.
        truth: the true label, or None if it is not known.
        label: the predicted label.
        score: the probability of `label`.
        token_starts: character offsets into `text`, in order, one per token.
        token_ends: as `token_starts`; both are empty if attention was not kept.
        attention: one weight per token; each is >= 0 and their sum is 1.
        contributions: what each token contributes to the wide part's score of `label`
            (`model.wide.contributions`); None if the model has no wide part.
        contributions_rest: what the bias and the tokens without an offset contribute.
        unknown_share: the share of the tokens that the vocabulary lacks; None where it is not
            known.
    """

    document_id: str
    text: str
    truth: str | None
    label: str
    score: float
    token_starts: Sequence[int]
    token_ends: Sequence[int]
    attention: Sequence[float]
    contributions: Sequence[float] | None = None
    contributions_rest: float = 0.0
    unknown_share: float | None = None

    def __post_init__(self) -> None:
        lengths = len(self.token_starts), len(self.token_ends), len(self.attention)
        if len(set(lengths)) != 1:
            raise ValueError(
                f"{self.document_id}: expected a start, an end and a weight for each token, got "
                f"{lengths[0]} starts, {lengths[1]} ends, {lengths[2]} weights"
            )
        if self.contributions is not None and len(self.contributions) != lengths[0]:
            raise ValueError(
                f"{self.document_id}: expected {lengths[0]} contributions, one for each token, got "
                f"{len(self.contributions)}"
            )


def join_predictions(
    documents: pa.RecordBatch | pa.Table, predictions: pa.RecordBatch | pa.Table
) -> list[ExampleDocument]:
    """Joins documents (`document_id`, `text`, `label`) with their predictions, row by row."""
    names = ["label", "score", "token_starts", "token_ends", "attention"]
    names += [name for name in CONTRIBUTIONS.names if name in predictions.schema.names]
    rows = predictions.select(names).to_pylist()
    sources = documents.select(["document_id", "text", "label"]).to_pylist()
    return [
        ExampleDocument(
            document_id=source["document_id"], text=source["text"], truth=source["label"], **row
        )
        for source, row in zip(sources, rows, strict=True)
    ]


def select_extremes(
    documents: pa.RecordBatch, predictions: pa.RecordBatch
) -> list[ExampleDocument]:
    """The `GALLERY_ROWS` most and as many least certain documents of a batch.

    Documents without an answer are left out. Long documents are cut: a page with a hundred thousand
    tokens would take longer than scoring them.
    """
    order = pc.sort_indices(predictions.column("score"))  # nulls come last
    order = order[: len(order) - predictions.column("score").null_count]
    if len(order) > 2 * GALLERY_ROWS:
        order = pa.concat_arrays([order[:GALLERY_ROWS], order[-GALLERY_ROWS:]])
    return join_beginnings(documents.take(order), predictions.take(order))


def join_beginnings(
    documents: pa.RecordBatch, predictions: pa.RecordBatch
) -> list[ExampleDocument]:
    """As `join_predictions`, with the first tokens of each document and the text up to them.

    The lists are cut before they become Python objects: a document may have a million tokens.
    """
    examples = []
    for row in range(documents.num_rows):
        size = _count_shown(predictions.column("token_ends")[row].values.to_numpy())
        columns = {}
        for name in predictions.schema.names:
            values = predictions.column(name).slice(row, 1)
            if name in TOKEN_LISTS:
                # One token more than is shown says that the document is cut.
                values = pa.array([values[0].values[: size + 1]], values.type)
            columns[name] = values
        if "contributions" in columns:
            left_out = predictions.column("contributions")[row].values.to_numpy()[size + 1 :]
            rest = columns["contributions_rest"][0].as_py() + float(left_out.sum())
            columns["contributions_rest"] = pa.array([rest])
        [example] = join_predictions(documents.slice(row, 1), pa.record_batch(columns))
        examples.append(beginning_of(example))
    return examples


def beginning_of(example: ExampleDocument) -> ExampleDocument:
    """The example with its first tokens and the text up to them; ` […]` marks what is cut.

    What a file of a gallery holds may be of any size, so this is done where it is read, too.
    """
    size = _count_shown(example.token_ends)
    end = min(example.token_ends[size - 1], SHOWN_CHARACTERS) if size else 0
    if size == len(example.token_ends):
        end += SHOWN_CHARACTERS  # without a token, such as with `attention: none`
    contributions, rest = example.contributions, example.contributions_rest
    if contributions is not None:
        rest += sum(contributions[size:])
        contributions = contributions[:size]
    return dataclasses.replace(
        example,
        document_id=_cut(example.document_id, SHOWN_NAME),
        text=_cut(example.text, end),
        truth=None if example.truth is None else _cut(example.truth, SHOWN_NAME),
        label=_cut(example.label, SHOWN_NAME),
        token_starts=example.token_starts[:size],
        token_ends=example.token_ends[:size],
        attention=example.attention[:size],
        contributions=contributions,
        contributions_rest=rest,
    )


def _count_shown(token_ends: Sequence[int] | np.ndarray) -> int:
    """How many tokens are shown of a document."""
    return bisect.bisect_right(token_ends[:SHOWN_TOKENS], SHOWN_CHARACTERS)


def _cut(text: str, size: int) -> str:
    """At most `size` characters, and a mark where some are left out; twice is as once."""
    return text if len(text.removesuffix(MORE)) <= size else text[:size] + MORE


def explain_texts(scorer: Scorer, texts: Sequence[str]) -> list[ExampleDocument]:
    """Scores texts and numbers them from 1 as ids. Texts without a token are left out."""
    numbered = [str(number) for number in range(1, len(texts) + 1)]
    return _score(scorer, numbered, texts, [None] * len(texts))


def score_samples(scorer: Scorer, samples: Sequence[Sample]) -> list[ExampleDocument]:
    """Scores sampled documents and selects the most and the least certain ones."""
    examples = _score(
        scorer,
        [sample.document_id for sample in samples],
        [sample.text for sample in samples],
        [sample.label for sample in samples],
    )
    return [beginning_of(example) for example in most_and_least_certain(examples)]


def _score(
    scorer: Scorer, ids: Sequence[str], texts: Sequence[str], labels: Sequence[str | None]
) -> list[ExampleDocument]:
    columns = {"document_id": ids, "text": texts, "label": labels}
    documents = pa.record_batch(
        {name: pa.array(values, pa.string()) for name, values in columns.items()}
    )
    predictions, scored = scorer.score(documents.column("text"))
    counts = (predictions.column(name).to_numpy() for name in ("oov_tokens", "token_count"))
    examples = join_predictions(documents.filter(pa.array(scored)), predictions)
    return [
        dataclasses.replace(example, unknown_share=float(share))
        for example, share in zip(examples, unknown_share(*counts), strict=True)
    ]


def most_and_least_certain(examples: Iterable[ExampleDocument]) -> list[ExampleDocument]:
    """The `GALLERY_ROWS` most and as many least certain documents, the most certain first."""
    ordered = sorted(examples, key=_highest_score_first)
    if len(ordered) > 2 * GALLERY_ROWS:
        ordered = ordered[:GALLERY_ROWS] + ordered[-GALLERY_ROWS:]
    return ordered


def gallery_to_lines(examples: Iterable[ExampleDocument]) -> list[str]:
    """One JSON object for each document."""
    return [json.dumps(dataclasses.asdict(item)) for item in examples]


def gallery_from_lines(lines: Iterable[str]) -> list[ExampleDocument]:
    """Reads what `gallery_to_lines` wrote; of anything longer, what a page shows."""
    shown = islice(lines, 2 * GALLERY_ROWS)
    return [beginning_of(ExampleDocument(**json.loads(line))) for line in shown]


def _highest_score_first(example: ExampleDocument) -> tuple[float, str]:
    return -example.score, example.document_id
