"""A rendered page as a browser's parser sees it."""

import dataclasses
import re
from html.parser import HTMLParser

_VOID = {"meta", "br"}  # elements that never have an end tag


@dataclasses.dataclass
class Page:
    """Tags with their attributes in order, and the text between them, a space at every tag."""

    elements: list[tuple[str, dict[str, str | None]]]
    text: str
    style: str

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements with the names of their attributes alone."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


class _Collect(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.style: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.style if self.open[-1:] == ["style"] else self.text).append(data)


def parse_page(html: str) -> Page:
    """Parses a page; fails unless every element is closed in order."""
    collect = _Collect()
    collect.feed(html)
    collect.close()
    assert collect.open == []
    return Page(
        elements=collect.elements,
        text=re.sub(r"\s+", " ", " ".join(collect.text)),
        style="".join(collect.style),
    )
