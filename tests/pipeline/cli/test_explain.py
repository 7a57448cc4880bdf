"""`explain` where the locale is not UTF-8, and with bytes that are not."""

import os
import subprocess
import sys

import pytest

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("environment", "text", "shown"),
    [
        ({}, "good caf\u00e9", "good caf\u00e9"),
        ({}, b"good caf\xe9", "good caf\ufffd"),
        (
            {"PYTHONIOENCODING": "ascii"},
            "good caf\u00e9 \u201cbad\u201d",
            r"good caf\xe9 \u201cbad\u201d",
        ),
        (ASCII, "good caf\u00e9 \u65e5", r"good caf\xe9 \u65e5"),
        (ASCII, b"good caf\xe9", r"good caf\ufffd"),
    ],
)
def test_a_text_and_a_terminal_of_another_encoding(
    model: str, environment: dict[str, str], text: str | bytes, shown: str
) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pipeline", "explain", "--model", model, text],
        env={**os.environ, "PYTHONIOENCODING": "", **environment},
        capture_output=True,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert shown in finished.stdout.decode()
