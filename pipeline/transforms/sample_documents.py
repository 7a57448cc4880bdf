"""Documents -> one file of samples."""

import dataclasses

import apache_beam as beam

from pipeline.corpora.preparing.samples import (
    Sample,
    sample_documents,
    samples_to_lines,
    select_samples,
)
from pipeline.storage.files import Files, write_text
from pipeline.transforms.write_one_file import WriteOneFile


@dataclasses.dataclass
class SampleDocuments(beam.PTransform):
    """Writes the samples of every split as JSON lines to `path`."""

    path: str
    files: Files

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """Takes batches from `add_digests`; only the candidates of each batch leave the worker."""
        return (
            documents
            | "Choose in batch" >> beam.FlatMap(sample_documents)
            | "Choose" >> beam.CombinePerKey(select_samples)
            | "Samples" >> beam.Values()
            | WriteOneFile(self._write)
        )

    def _write(self, groups: list[list[Sample]]) -> None:
        samples = [sample for group in groups for sample in group]
        write_text(self.files, self.path, samples_to_lines(samples))
