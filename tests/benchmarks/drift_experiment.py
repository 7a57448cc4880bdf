"""Which drift is reported: the experiment by which the default of `drift.max_psi` was chosen.

    CORPORA=... python -m tests.benchmarks.drift_experiment

Trains a small model on four fifths of the SMS Spam Collection. The rest are test messages. Corpora
are then compared with the model's profile of its validation documents. 20 random halves of the test
messages must not count as drifted. Three corpora must: Chinese shopping reviews, the test messages
cut to 3 words, and as many messages with the shares of the two classes swapped.

Prints the largest index of each corpus beyond chance. Exits 1 if the default threshold is wrong
about one of them, and 2 if CORPORA does not name the folder of sms_spam/ and zh_shopping/.
"""

import csv
import gzip
import json
import logging
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from model.bundle.file_names import PROFILE
from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig, TextConfig, TrainingConfig
from model.scoring.scorer import Scorer
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import Config, CorpusConfig, DriftConfig, ScoringConfig
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import profile_predictions
from pipeline.corpora.scoring.profile_differences import compare_profiles
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.stages.train import train
from pipeline.storage.beam_files import BeamFiles
from tests.benchmarks.reviews import corpus_folder

HALVES = 20


def read_messages(sms_spam: Path) -> list[tuple[str, str]]:
    """`(label, text)` of every message, in a seeded order."""
    lines = (sms_spam / "SMSSpamCollection").read_text(encoding="utf-8").splitlines()
    messages = [(label, text) for label, _, text in (line.partition("\t") for line in lines)]
    random.Random(1).shuffle(messages)  # noqa: S311
    return messages


def read_chinese_reviews(zh_shopping: Path, rows: int) -> list[str]:
    """The first of the shopping reviews."""
    path = zh_shopping / "online_shopping_10_cats.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        texts = (row["review"] for row in csv.DictReader(stream))
        return [text for text, _ in zip(texts, range(rows), strict=False)]


def train_model(folder: Path, messages: Sequence[tuple[str, str]]) -> str:
    path = folder / "train.jsonl"
    rows = [json.dumps({"text": text, "label": label}) for label, text in messages]
    path.write_text("\n".join(rows), encoding="utf-8")
    config = Config(
        name="sms",
        workspace=str(folder / "runs"),
        corpus=CorpusConfig(inputs=(InputConfig(path=str(path), split="train"),)),
        text=TextConfig(max_tokens=60, vocabulary_size=10_000),
        network=NetworkConfig(embedding=EmbeddingConfig(units=32), lstm=LSTMConfig(units=16)),
        training=TrainingConfig(epochs=4, learning_rate=0.005),
    )
    return train(config, beam_options=[], files=BeamFiles(), command="").folder


def largest_excess(scorer: Scorer, texts: Sequence[str], reference: dict) -> tuple[float, str]:
    """The largest index beyond chance, and its measure."""
    parts = []
    for start in range(0, len(texts), 2_000):
        predictions, _ = scorer.score(pa.array(texts[start : start + 2_000], pa.string()))
        parts.append(profile_predictions(predictions))
    found = compare_profiles(add_counts(parts), reference, against="training")
    return max((item.psi - item.noise, item.measure) for item in found)


def swap_shares(messages: Sequence[tuple[str, str]]) -> list[str]:
    """As many messages, in which each class has the share that the other class had."""
    by_label = {label: [text for each, text in messages if each == label] for label, _ in messages}
    ham, spam = by_label["ham"], by_label["spam"]
    draw = random.Random(2)  # noqa: S311
    return draw.choices(spam, k=len(ham)) + draw.choices(ham, k=len(spam))


def measure(folder: Path, *, sms_spam: Path, zh_shopping: Path) -> bool:
    """Prints the table; returns whether the threshold tells the drifted corpora from the others."""
    messages = read_messages(sms_spam)
    fifth = len(messages) // 5
    test = messages[:fifth]
    model = train_model(folder, messages[fifth:])
    [scorer] = shared_scorers(BeamFiles(), [model], ScoringConfig())
    reference = json.loads((Path(model) / PROFILE).read_text(encoding="utf-8"))
    texts = [text for _, text in test]
    draw = random.Random(3)  # noqa: S311
    alike = [(f"half {at + 1}", draw.sample(texts, len(texts) // 2)) for at in range(HALVES)]
    unlike = [
        ("another language", read_chinese_reviews(zh_shopping, len(texts))),
        ("cut to 3 words", [" ".join(text.split()[:3]) for text in texts]),
        ("swapped class shares", swap_shares(test)),
    ]
    limit = DriftConfig().max_psi
    right = True
    print(f"PSI beyond chance, largest measure; drift.max_psi is {limit:g}")
    for corpora, trips in ((alike, False), (unlike, True)):
        for name, chosen in corpora:
            excess, which = largest_excess(scorer, chosen, reference)
            right = right and (excess > limit) == trips
            print(f"{name:<22}{excess:8.3f}  {which:<18}{'drifted' if excess > limit else 'alike'}")
    return right


def main() -> int:
    """Runs the experiment."""
    sms_spam, zh_shopping = corpus_folder("sms_spam"), corpus_folder("zh_shopping")
    if sms_spam is None or zh_shopping is None:
        print("expected CORPORA to name the folder of sms_spam/ and zh_shopping/")
        return 2
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder), sms_spam=sms_spam, zh_shopping=zh_shopping) else 1


if __name__ == "__main__":
    sys.exit(main())
