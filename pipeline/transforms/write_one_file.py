"""All elements of a PCollection -> one file, written by one call."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam


@dataclasses.dataclass
class WriteOneFile(beam.PTransform):
    """Calls `write` once with a list of all elements, in any order; with `[]` if there are none.

    `write` writes the file, and the transform yields what it returns. The elements come as a side
    input: a global combination would need five times as many primitive transforms, and a runner
    prepares each of them at every start.
    """

    write: Callable[[list[Any]], Any]

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        """If a runner retries the bundle, it calls `write` again with the same elements."""
        gathered = beam.pvalue.AsIter(elements)
        return elements.pipeline | beam.Impulse() | "Write" >> beam.Map(self._call, gathered)

    def _call(self, _: bytes, elements: Iterable[Any]) -> Any:
        return self.write(list(elements))
