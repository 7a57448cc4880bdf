"""The folder of a value that rows are partitioned by, as Hive, Spark and Arrow name it."""

from urllib.parse import quote

from model.config import ConfigError

MAX_NAME_BYTES = 255  # of a folder, on all file systems in use
NULL_NAME = "__HIVE_DEFAULT_PARTITION__"  # the folder of null in Hive, Spark and Arrow

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")


def partition_folder(column: str, value: str | None) -> str:
    """`<column>=<value>`; two values never get names that a file system takes for the same.

    Readers decode the percent signs. Everything is encoded but small ASCII letters, digits, `_`,
    `-` and dots inside: a disk of Windows or macOS takes `A` for `a`, and an accented letter for
    the same one composed differently; Windows drops a dot or a space at the end, and has a meaning
    for `:`; a slash would be a path. Null has a name of its own, of which the string of the same
    letters differs because it is encoded. The empty string is nothing after the equals sign.

    >>> partition_folder("lang", "en"), partition_folder("lang", "DE/at.")
    ('lang=en', 'lang=%44%45%2Fat%2E')

    Raises:
        ConfigError: for a value that is too long for the name of a folder.
    """
    folder = _folder(column, value)
    if len(folder) > MAX_NAME_BYTES:
        raise ConfigError(
            f"scoring.output.partition_by: expected values of {column!r} that can name a folder "
            f"of at most {MAX_NAME_BYTES} bytes, got one of {len(folder)}. Choose another column."
        )
    return folder


def partition_folder_bytes(column: str, value: str | None) -> int:
    """How long the name of the folder of a value would be; `MAX_NAME_BYTES` is the limit."""
    return len(_folder(column, value))


def _folder(column: str, value: str | None) -> str:
    name = NULL_NAME if value is None else "".join(map(_encode, value))
    if value and value.endswith("."):
        name = f"{name[:-1]}%2E"
    return f"{quote(column, safe='')}={name}"


def _encode(character: str) -> str:
    if character in _PLAIN:
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())
