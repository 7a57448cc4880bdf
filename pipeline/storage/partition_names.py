"""The folder of a value that rows are partitioned by, as Hive, Spark and Arrow name it."""

import hashlib
from urllib.parse import quote

from model.config import ConfigError

MAX_NAME_BYTES = 255  # of a folder, on all file systems in use
NULL_NAME = "__HIVE_DEFAULT_PARTITION__"  # the folder of null in Hive, Spark and Arrow

_DIGITS = 32  # of the digest of a value that is too long, hexadecimal

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")


def partition_folder(column: str, value: str | None) -> str:
    """`<column>=<value>`; two values never get names that a file system takes for the same.

    Readers decode the percent signs. Everything is encoded but small ASCII letters, digits, `_`,
    `-` and dots inside: a disk of Windows or macOS takes `A` for `a`, and an accented letter for
    the same one composed differently; Windows drops a dot or a space at the end, and has a meaning
    for `:`; a slash would be a path. Null has a name of its own, of which the string of the same
    letters differs because it is encoded. The empty string is nothing after the equals sign.

    A value that is too long has a folder of its beginning, a tilde, and a digest of all of it.

    >>> partition_folder("lang", "en"), partition_folder("lang", "DE/at.")
    ('lang=en', 'lang=%44%45%2Fat%2E')
    >>> partition_folder("lang", 300 * "x")[-40:]
    'xxxxxxx~0d4e2ca9e9cbced7a7a5380eb29e1a37'

    Raises:
        ConfigError: for a column whose name leaves no room for a value.
    """
    if value is not None and len(value) > MAX_NAME_BYTES:  # it may have millions
        return _shortened(column, value)
    folder = _folder(column, value)
    return folder if len(folder) <= MAX_NAME_BYTES or value is None else _shortened(column, value)


def is_shortened(folder: str) -> bool:
    """Whether the name of a folder holds a digest in place of the end of a value."""
    return "~" in folder.partition("=")[2]  # that of a value is encoded


def check_partition_column(column: str) -> None:
    """Checks that the folder of any value can be named.

    Raises:
        ConfigError: if the name of the column is too long.
    """
    partition_folder(column, "x" * MAX_NAME_BYTES)


def _shortened(column: str, value: str) -> str:
    digest = hashlib.sha256(value.encode()).hexdigest()[:_DIGITS]
    name = f"{quote(column, safe='')}="
    if len(name) + 1 + _DIGITS > MAX_NAME_BYTES:
        raise ConfigError(
            f"scoring.output.partition_by: expected a column whose name has at most "
            f"{MAX_NAME_BYTES - 2 - _DIGITS} bytes in the name of a folder, got {column!r} with "
            f"{len(name) - 1}. Choose another column."
        )
    for character in value:
        encoded = _encode(character)
        if len(name) + len(encoded) + 1 + _DIGITS > MAX_NAME_BYTES:
            break
        name += encoded
    return f"{name}~{digest}"


def _folder(column: str, value: str | None) -> str:
    name = NULL_NAME if value is None else "".join(map(_encode, value))
    if value and value.endswith("."):
        name = f"{name[:-1]}%2E"
    return f"{quote(column, safe='')}={name}"


def _encode(character: str) -> str:
    if character in _PLAIN:
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())
