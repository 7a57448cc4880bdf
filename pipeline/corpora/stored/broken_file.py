"""The error for a file that cannot be read to its end."""


class BrokenFileError(Exception):
    """A file cannot be opened, or the rest of it cannot be read.

    Attributes:
        detail: what was expected and what was found.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
