"""Reads `labels.txt`, the names of a model's labels."""

from model.bundle.errors import BundleError
from model.config import Head
from model.files.regular_files import decode_utf8

MAX_LABELS = 20_000  # a document has a probability of each, and thousands are scored at once


def parse_labels(content: bytes, *, head: Head, where: str) -> tuple[str, ...]:
    """The labels in the content of a file, one on each line.

    Args:
        content: of the file.
        head: of the network.
        where: the file, for messages.

    Raises:
        ConfigError: if it is not UTF-8.
        BundleError: if a label is empty or occurs twice, there are more than `MAX_LABELS`, or not
            as many as the head has.
    """
    *lines, rest = decode_utf8(content, where=where).split("\n")
    if rest or not all(lines):
        raise _wrong(where, "a name on each line", "an empty one, or no line feed at the end")
    if len(lines) > MAX_LABELS:
        raise _wrong(where, f"at most {MAX_LABELS:,} labels", f"{len(lines):,}")
    if len(set(lines)) != len(lines):
        raise _wrong(where, "labels that differ", "one of them twice")
    few = len(lines) < (1 if head == "multilabel" else 2)
    if few or (head == "sigmoid" and len(lines) != 2):
        expected = {"sigmoid": "2 labels", "softmax": "2 labels or more"}.get(head, "a label")
        raise _wrong(where, f"{expected} for the head {head!r}", str(len(lines)))
    return tuple(lines)


def _wrong(where: str, expected: str, got: str) -> BundleError:
    return BundleError(f"{where}: expected {expected}, got {got}. Copy the whole directory again.")
