"""Templates -> one self-contained HTML page.

Every value is escaped, so corpus text cannot become markup. As a second guard the page's
Content-Security-Policy allows its one style sheet, by its hash, and no script, image, font, frame,
form or base address. Text that a template failed to escape could then run nothing and load nothing.
It could still do harm: a policy does not forbid `<meta http-equiv="refresh">`, which sends the
reader to another page, nor links that a reader may follow. Tests put hostile text in every place.

No value makes a page large: a long one is cut, with a mark.
"""

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from model.metrics.names import SCORES
from pipeline.process.printable import readable
from pipeline.reports import formats
from pipeline.reports.shading import LEVELS, shade, strongest_contributions, strongest_tokens

_FOLDER = Path(__file__).parent

MAX_CHARACTERS = 50_000  # of one value; documents are cut before (`gallery.beginning_of`)
INPUTS_SHOWN = 1_000  # files in the table of inputs


def render_page(template: str, **values: Any) -> str:
    """Fills a template of this folder.

    Raises:
        jinja2.UndefinedError: if the template asks for a value that is not given.
    """
    return _environment().get_template(template).render(**values)


@functools.cache  # templates are compiled once a process
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        function.__name__: function
        for function in (
            formats.count,
            formats.counted,
            formats.list_labels,
            formats.percent,
            formats.decimal,
            formats.signed,
            formats.byte_size,
            formats.moment,
            formats.duration,
            formats.raw_text,
        )
    }
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment.globals |= {
        "style": Markup(style),  # noqa: S704 - our own file, not a value
        "content_security_policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
        "inputs_shown": INPUTS_SHOWN,
        "levels": LEVELS,
        "reasons": formats.REASONS,
        "score_titles": {name: title[0].upper() + title[1:] for name, title in SCORES.items()},
        "shade": shade,
        "strongest_contributions": strongest_contributions,
        "strongest_tokens": strongest_tokens,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Called for each value before it is escaped: it can be read, and is not too long."""
    if isinstance(value, str) and not isinstance(value, Markup):
        if len(value) > MAX_CHARACTERS:
            left_out = formats.counted(len(value) - MAX_CHARACTERS, "character")
            value = f"{value[:MAX_CHARACTERS]} [… {left_out} …]"
        return readable(value)
    return value
