"""A table over all of Unicode inside a TensorFlow graph."""

import numpy as np
import tensorflow as tf

PAGE = 256  # code points


class PagedTable:
    """An int32 for every code point; equal pages are stored once.

    Most pages are equal, so the graph contains only a fraction of the whole table.

    Args:
        values: int `(code points,)`; the number of code points is a multiple of `PAGE`.
    """

    def __init__(self, values: np.ndarray) -> None:
        pages: dict[bytes, int] = {}
        page_of = [
            pages.setdefault(page.tobytes(), len(pages))
            for page in values.astype(np.int32).reshape(-1, PAGE)
        ]
        self._values = np.frombuffer(b"".join(pages), dtype=np.int32)
        self._page_starts = PAGE * np.array(page_of, dtype=np.int32)

    def look_up(self, codes: tf.Tensor) -> tf.Tensor:
        """The values of code points, int32, of the shape of `codes`."""
        page_starts = tf.gather(self._page_starts, codes // PAGE)
        return tf.gather(self._values, page_starts + codes % PAGE)
