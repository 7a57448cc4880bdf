"""A claim: the file in which a run states that it works on a date, or waits to do so."""

import contextlib
import dataclasses
import json
from typing import Any

from pipeline.nights.process_identity import ProcessIdentity
from pipeline.storage.files import Files, replace_text

WRITE_ATTEMPTS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """The content of a claim.

    Attributes:
        run_id: the run that claims the date.
        held: False while the run looks for other claims, True once it holds the date.
        beat: how many times the claim was written.
        owner: the process of the run.
    """

    run_id: str
    held: bool
    beat: int
    owner: ProcessIdentity

    def to_text(self) -> str:
        """One JSON object and a line feed."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_text(cls, text: str) -> "Claim | None":
        """Reads the text from `to_text`; None if a kill or a full disk cut it short."""
        try:
            values: dict[str, Any] = json.loads(text)
            owner = ProcessIdentity(**values.pop("owner"))
            return cls(**values, owner=owner)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def read_claim(files: Files, path: str) -> Claim | None:
    """The claim at a path; None if it is missing or incomplete."""
    # A missing file raises a different error in each store.
    with contextlib.suppress(Exception):
        if files.match(path):
            with files.open(path) as stream:
                return Claim.from_text(stream.read().decode(errors="replace"))
    return None


def write_claim(files: Files, path: str, claim: Claim) -> None:
    """Writes a claim; replaces the earlier claim of the same run.

    Raises:
        OSError: if the last of `WRITE_ATTEMPTS` fails. Stores may raise other errors.
    """
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        try:
            replace_text(files, path, claim.to_text())
            return
        except Exception:  # another run may have deleted the unfinished file: write it again
            if attempt == WRITE_ATTEMPTS:
                raise
