"""vectors: the text of a corpus -> a file of word vectors, with a manifest beside it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.config import ConfigError, to_plain
from model.runtime.cores import usable_cores
from model.text.tokenizer import Tokenizer
from model.training.word_vectors.skip_gram import train_skip_gram, write_token_lines
from pipeline.config.sections import Config, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.accounting import count_broken, count_rejected, count_used
from pipeline.corpora.reading.check_rows import ReadBatch
from pipeline.corpora.reading.columns import corpus_of_texts
from pipeline.corpora.reading.counts import add_to
from pipeline.corpora.reading.dividing import divide_files
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.parts import FilePart, open_part
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.process import progress
from pipeline.stages.corpus_pass import account
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.run_checks import check_broken, check_rejected
from pipeline.storage.files import Files, join
from pipeline.storage.manifest import Manifest, new_run_id
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.storage.staging import stage_files


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnedVectors:
    """Word vectors that were learned.

    Attributes:
        words: how many words have a vector.
        tokens: how many tokens the corpus has.
        rows: the `rows` of a manifest.
    """

    words: int
    tokens: int
    rows: Mapping[str, Any]


def learn_vectors(
    config: Config, *, output: str, files: Files, beam_options: Sequence[str] = ()
) -> LearnedVectors:
    """Learns word vectors on this machine, on all its cores.

    The text is tokenized as for the model, so that the words are those of its vocabulary.

    Args:
        config: its sections corpus, text and vectors.
        output: the file to write.
        files: where everything lies.
        beam_options: Beam's own flags, for reading a table.

    Raises:
        ConfigError: for missing inputs, a corpus without text, or without gensim.
        RunError: if a table cannot be read, too many rows are rejected, or too many files are
            broken.
    """
    run = Manifest(run_id=new_run_id("vectors"), stage="vectors", config=to_plain(config))
    tables = join(config.workspace, "staging", run.run_id)
    texts = corpus_of_texts(config.corpus)
    with (
        opened_inputs(texts, scratch=tables, beam_options=beam_options, files=files) as inputs,
        scratch_folder("vectors") as scratch,
    ):
        lines, local = Path(scratch) / "tokens", Path(scratch) / "vectors.txt"
        corpus = account(_tokenize(config, inputs, lines, files=files), inputs)
        rows = corpus.rows
        check_broken(rows, config.corpus)
        if not rows["used"]:
            raise ConfigError(
                f"{inputs[0].name}: expected documents with text, got none. "
                "Check corpus.columns.text."
            )
        check_rejected(
            corpus,
            config.corpus,
            hint="Repair the corpus, or see the rows with: limelight prepare.",
        )

        def advance() -> None:
            progress.advance(rows["used"])

        total = rows["used"] * config.vectors.epochs
        with progress.shown("vectors", total=total):
            trained = train_skip_gram(
                lines, local, config=config.vectors, workers=usable_cores(), on_epoch=advance
            )
        staged = stage_files(files, [str(local)], path=output, rows=trained.words)
    run.inputs, run.rows, run.outputs = corpus.inputs, rows, [staged.as_output()]
    run.finish("done")
    run.write_to(files, f"{output}.manifest.json")
    return LearnedVectors(words=trained.words, tokens=trained.tokens, rows=rows)


def _tokenize(
    config: Config, inputs: list[InputFile], lines: Path, *, files: Files
) -> dict[str, Any]:
    """Writes the tokens of every document to a local file; returns the row counts."""
    tokenizer = Tokenizer(config.text)
    texts = corpus_of_texts(config.corpus)
    counts: dict[str, Any] = {}
    with progress.shown("tokenize"), lines.open("w", encoding="utf-8") as sink:
        for part in divide_files(files, inputs):
            try:
                for batch in _batches(part, texts, files=files):
                    write_token_lines(batch.documents.column("text"), tokenizer, sink)
                    read = {"files": {part.source_file: {"rows_read": batch.rows_read}}}
                    used, rejected = count_used(batch.documents), count_rejected(batch.rejections)
                    for counted in (read, used, rejected):
                        add_to(counts, counted)
                    progress.advance(batch.rows_read)
            except BrokenFileError as error:
                add_to(counts, count_broken(part.source_file, error))
    return counts


def _batches(part: FilePart, corpus: CorpusConfig, *, files: Files) -> Iterator[ReadBatch]:
    with open_part(files, part) as stream:
        yield from read_part(stream, part, corpus=corpus)
