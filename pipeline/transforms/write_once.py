"""All elements -> one call."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam


@dataclasses.dataclass
class WriteOnce(beam.PTransform):
    """Calls `write` with a list of all elements, in any order; with `[]` where there are none.

    Yields what `write` returns. The elements come as a side input: a global combination would
    take five times the primitive transforms, each of which an engine prepares at every start.
    """

    write: Callable[[list[Any]], Any]

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        """A retried bundle calls `write` again, with the same elements."""
        gathered = beam.pvalue.AsIter(elements)
        return elements.pipeline | beam.Impulse() | "Write" >> beam.Map(self._call, gathered)

    def _call(self, _: bytes, elements: Iterable[Any]) -> Any:
        return self.write(list(elements))
