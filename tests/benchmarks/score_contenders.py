"""Scripts that do the job of `score` as competent users would write them.

    python -m tests.benchmarks.score_contenders keras|onnxruntime|steps DIR

DIR is a working folder of `tests.benchmarks.bench_score`, with `corpus.jsonl`,
`model/` and `network.onnx`. Prints one JSON object: seconds by step.

- `keras`: a plain script: tokens by a regular expression in Python, ids by a
  dictionary, every document padded to 200, `model.predict`, a pandas data frame,
  `to_parquet`. Its network is Limelight's, which is faster because it needs no mask.
- `onnxruntime`: the same tokens; then float32 in length-sorted batches of 256, one
  batch on each core, and Arrow lists from flat arrays.
- `steps`: not a contender. It runs Limelight's own steps one after the other, without
  Beam, to measure the time of each.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_TOKENS = 200
TOKEN = re.compile(r"\w+|[^\w\s]")

seconds: dict[str, float] = {}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Adds the time of the block to a step."""
    begin = time.perf_counter()
    yield
    seconds[name] = seconds.get(name, 0) + time.perf_counter() - begin


def run_keras(folder: Path) -> None:
    """The plain script."""
    with step("start"):
        import keras
        import pandas as pd

        from model.bundle.loading import load_bundle

        bundle = load_bundle(folder / "model")
        network = bundle.build_network()
        ids_of = number_words(bundle.vocabulary)
    documents = read_rows(folder)
    tokens, ids = tokenize(documents, ids_of)
    with step("score"):
        padded = keras.utils.pad_sequences(
            ids, maxlen=MAX_TOKENS, padding="post", truncating="post"
        )
        lengths = (padded > 0).sum(axis=1).astype("int32")
        outputs = network.predict(
            {"token_ids": padded, "length": lengths}, batch_size=256, verbose=0
        )
    with step("build lists"):
        best = outputs["probabilities"].argmax(axis=1)
        frame = pd.DataFrame(
            {
                "document_id": [row["id"] for row in documents],
                "label": [bundle.labels[index] for index in best],
                "score": outputs["probabilities"].max(axis=1),
                "probabilities": list(outputs["probabilities"]),
                "tokens": tokens,
                "attention": [
                    weights[:length]
                    for weights, length in zip(outputs["attention"], lengths, strict=True)
                ],
            }
        )
    with step("write"):
        frame.to_parquet(folder / "keras.parquet")


def run_onnxruntime(folder: Path) -> None:
    """The fast pipeline."""
    with step("start"):
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        from model.bundle.loading import load_bundle
        from model.runtime.cores import usable_cores
        from tests.benchmarks.onnx_engine import onnxruntime_scorer

        bundle = load_bundle(folder / "model")
        score = onnxruntime_scorer(str(folder / "network.onnx"), cores=usable_cores())
        ids_of = number_words(bundle.vocabulary)
    documents = read_rows(folder)
    tokens, ids = tokenize(documents, ids_of)
    with step("score"):
        row_offsets = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
        flat = np.fromiter((each for row in ids for each in row), np.int32, row_offsets[-1])
        probabilities, attention = score(flat, row_offsets)
    with step("build lists"):
        best = probabilities.argmax(axis=1)
        offsets = pa.array(row_offsets, pa.int32())
        labels = np.array(bundle.labels)
        table = pa.table(
            {
                "document_id": [row["id"] for row in documents],
                "label": pa.array(labels[best]),
                "score": pa.array(probabilities.max(axis=1)),
                "probabilities": pa.array(list(probabilities)),
                "tokens": pa.array(tokens),
                "attention": pa.ListArray.from_arrays(offsets, pa.array(attention)),
            }
        )
    with step("write"):
        pq.write_table(table, folder / "onnxruntime.parquet", compression="zstd")


def run_steps(folder: Path) -> None:
    """Limelight's own steps, one after the other."""
    with step("start"):
        import apache_beam  # noqa: F401  part of the start
        import pyarrow as pa

        from model.bundle.loading import load_bundle
        from model.scoring.loading import load_scorer
        from model.text.tokenizer import Tokenizer
        from pipeline.config.inputs import InputConfig
        from pipeline.config.sections import ColumnsConfig, CorpusConfig
        from pipeline.corpora.formats.read_part import read_part
        from pipeline.corpora.reading.parts import FilePart
        from pipeline.corpora.scoring.predictions import PredictionContext
        from pipeline.corpora.scoring.score_documents import score_documents
        from pipeline.schemas import predictions_schema
        from pipeline.storage.beam_files import BeamFiles
        from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout

        bundle = load_bundle(folder / "model")
        scorer = load_scorer(bundle)
        tokenizer = Tokenizer(bundle.config.text)
    source = InputConfig(path=str(folder / "corpus.jsonl"))
    corpus = CorpusConfig(inputs=(source,), columns=ColumnsConfig(id="id"))
    context = PredictionContext(run_id="steps")
    part = FilePart(path=source.path, source_file="corpus.jsonl", input=source)
    output = ParquetFiles(
        predictions_schema(), ParquetLayout(), folder=str(folder), files=BeamFiles()
    )
    whole = time.perf_counter()
    with open(source.path, "rb") as stream:
        batches = read_part(stream, part, corpus=corpus)
        while True:
            with step("read"):
                batch = next(batches, None)
            if batch is None:
                break
            texts: pa.StringArray = batch.documents.column("text")
            # These two run once more by themselves, to subtract them from `score_documents`.
            with step("tokenize"):
                tokens, _ = tokenizer.tokenize(texts).cut(MAX_TOKENS, "head")
                ids = bundle.vocabulary.encode(tokens)
            with step("score"):
                scorer._run(ids, tokens.row_offsets)
            with step("all of a batch"):
                [scored] = score_documents(scorer, batch.documents, context=context)
            with step("write"):
                for _ in output.write(scored.predictions):
                    pass
    with step("write"):
        for _ in output.close():
            pass
    repeated = seconds["tokenize"] + seconds["score"]
    seconds["build lists"] = max(seconds.pop("all of a batch") - repeated, 0.0)
    seconds["total"] = time.perf_counter() - whole - repeated


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of the corpus."""
    import orjson

    with step("read"), (folder / "corpus.jsonl").open("rb") as stream:
        return [orjson.loads(line) for line in stream]


def number_words(vocabulary: Any) -> dict[str, int]:
    """The id of every word of the vocabulary."""
    return {word: vocabulary.first_token_id + i for i, word in enumerate(vocabulary.tokens)}


def tokenize(
    documents: list[dict[str, Any]], ids_of: dict[str, int]
) -> tuple[list[list[str]], list[list[int]]]:
    """Tokens and ids of every document, cut at 200; 1 is the id of unknown words."""
    with step("tokenize"):
        tokens = [TOKEN.findall(row["text"])[:MAX_TOKENS] for row in documents]
        look_up = ids_of.get
        return tokens, [[look_up(token.lower(), 1) for token in row] for row in tokens]


CONTENDERS = {"keras": run_keras, "onnxruntime": run_onnxruntime, "steps": run_steps}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(seconds))
