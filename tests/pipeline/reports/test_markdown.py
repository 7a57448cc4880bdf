"""Whatever a corpus holds, Markdown renders it as text, and as nothing else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.process.printable import readable
from pipeline.reports.markdown import escaped, fenced, table

markdown = MarkdownIt("commonmark").enable("table")
any_text = st.text(
    st.one_of(st.sampled_from("\\`*_[]()<>#+-.!|~&$:@1 \n\t\x00\ud800"), st.characters())
)


def texts(tokens: list[Token]) -> list[str]:
    """What each inline stretch says; fails if anything in it is not plain text."""
    found = []
    for token in tokens:
        assert token.type != "html_block"
        for child in token.children or ():
            assert child.type == "text", child
        if token.type == "inline":
            found.append("".join(child.content for child in token.children or ()))
    return found


def shown(text: str) -> str:
    return readable(" ".join(text.split()))


@given(any_text)
@example("<script>alert(1)</script>")
@example("![x](javascript:alert(1)) [a]: b")
@example("| a | b |")
@example("&lt;b&gt; &#60;")
@example("- - -")
@example("12. one")
def test_escaped_text_renders_as_itself(text):
    rows = [[escaped(text), escaped(text)]]
    cells = texts(markdown.parse("\n".join(table(["name", "value"], rows))))
    assert cells == ["name", "value", shown(text), shown(text)]
    item = markdown.parse(f"- {escaped(text)}")
    assert texts(item) == ([shown(text)] if shown(text) else [])
    assert sum(token.type == "list_item_open" for token in item) == 1
    assert texts(markdown.parse(f"# {escaped(text)}")) == [shown(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 3.11.7 (yes)", "plain text, 3.11.7 (yes)"),
        ("Cause-Effect(e1,e2)", "Cause-Effect(e1,e2)"),
        ("www.example.org", r"www\.example.org"),
        ("http://example.org", r"http\://example.org"),
        ("@someone", r"\@someone"),
        ("1. item", r"1\. item"),
        ("- item", r"\- item"),
        ("a\nb\x00", "a b␀"),
    ],
)
def test_only_what_would_mean_something_is_escaped(text, expected):
    assert escaped(text) == expected


@given(any_text)
@example("```\n<script>")
def test_a_code_block_holds_the_code_and_ends(code):
    block = markdown.parse("\n".join([*fenced(code), "", "after"]))
    assert [token.type for token in block] == [
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]
    assert block[0].content == "".join(f"{readable(line)}\n" for line in code.splitlines())


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert escaped("x" * 2_000) == "x" * 2_000
    assert escaped("x" * 2_001) == "x" * 2_000 + r" \[…\]"
