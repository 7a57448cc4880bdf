"""The pages are self-contained, safe with any corpus, readable in light and dark."""

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reports.comparison import ComparisonReport, render_comparison
from pipeline.reports.dataset_report import render_dataset_report
from pipeline.reports.formats import REASONS
from pipeline.reports.model_report import render_model_report
from pipeline.reports.page import INPUTS_SHOWN, MAX_CHARACTERS
from pipeline.reports.run_report import render_run_report
from pipeline.reports.shading import LEVELS
from pipeline.schemas import REJECTION_REASONS
from tests.pipeline.reports import made_up
from tests.pipeline.reports.html_page import Page, parse_page

EVIL = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>'--></style>"


def model_page(text: str) -> str:
    """A model report with the text in every place that a corpus or a user can fill."""
    labels = (text, text + ".")
    shown = made_up.document(
        document_id=text,
        text=f"see {text} see",
        truth=labels[0],
        label=labels[1],
        token_starts=[0, 4],
        token_ends=[3, 4 + len(text)],
        attention=[0.25, 0.75],
    )
    report = made_up.model_report(
        model_version=text,
        command=text,
        evaluations={text: made_up.evaluation(labels)},
        statistics=made_up.statistics(labels),
        examples_split=text,
        most_certain=[shown],
        least_certain=[shown],
        rejections=made_up.rejections(
            document_id=text,
            source_file=text,
            detail=text,
            raw=text.encode("utf-8", errors="replace"),
        ),
        inputs=made_up.inputs(text),
        warnings=[text],
        config={text: {text: text}},
        provenance={text: text},
    )
    return render_model_report(report)


def run_page(text: str) -> str:
    """A run report with the text in every place that a corpus or a user can fill."""
    shown = made_up.document(
        document_id=text,
        text=f"{text} end",
        truth=None,
        label=text,
        token_starts=[0],
        token_ends=[len(text)],
        attention=[1.0],
    )
    report = made_up.run_report(
        run_id=text,
        date=text,
        model_version=text,
        label_counts={text: 9_000},
        most_certain=[shown],
        least_certain=[shown],
        rejections=made_up.rejections(document_id=text, source_file=text, detail=text),
        inputs=made_up.inputs(text),
        warnings=[text],
        provenance={text: text},
    )
    return render_run_report(report)


def dataset_page(text: str) -> str:
    """A dataset report with the text in every place that a corpus or a user can fill."""
    report = made_up.dataset_report(
        fingerprint=text,
        statistics=made_up.statistics((text, text + ".")),
        frequent_tokens=[text],
        rejections=made_up.rejections(document_id=text, source_file=text, detail=text),
        inputs=made_up.inputs(text),
        warnings=[text],
        config={text: {text: text}},
        provenance={text: text},
    )
    return render_dataset_report(report)


def comparison_page(text: str) -> str:
    """A comparison with the text in every place that a corpus or a user can fill."""
    shown = made_up.document(
        document_id=text,
        text=text,
        truth=text,
        label=text,
        token_starts=[0],
        token_ends=[len(text)],
        attention=[1.0],
    )
    comparison = {
        "old": text,
        "new": text,
        "documents": 2,
        "flipped": 1,
        "agreement": 0.5,
        "flips": [{"old": text, "new": text, "documents": 1}],
        "metrics": {
            name: {"rows": 2, "accuracy": 0.5, "macro_f1": 0.5, "loss": 1.0}
            for name in ("old", "new")
        },
        "unknown_labels": {text: 1},
        "notes": [text],
        "tripped": [text],
    }
    return render_comparison(ComparisonReport(comparison=comparison, flips=[(shown, shown)]))


PAGES: dict[str, Callable[[str], str]] = {
    "model": model_page,
    "run": run_page,
    "dataset": dataset_page,
    "comparison": comparison_page,
}

HARMFUL = [
    EVIL,
    '<meta http-equiv="refresh" content="0;url=https://example.org">',
    '</title></style><meta http-equiv=refresh content="0;javascript:alert(1)">',
    '"><base href="https://example.org"><form action="https://example.org"><input name=a>',
    "<a href=javascript:alert(1)>more</a><link rel=stylesheet href=//example.org>",
    "<svg/onload=alert(1)><iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7 * 7 }}{% raw %}<b>",
    "' autofocus onfocus=alert(1) x='",
    "&lt;meta http-equiv=refresh&gt; --><!-- ]]>",
    "\ufe64script\ufe65\u2028<\x00meta http-equiv=refresh>",
]


@pytest.fixture(params=PAGES)
def render(request: pytest.FixtureRequest) -> Callable[[str], str]:
    return PAGES[request.param]


def test_markup_in_a_corpus_stays_text(render):
    harmless, evil = parse_page(render("x" * len(EVIL))), parse_page(render(EVIL))
    assert evil.structure == harmless.structure
    assert evil.text.count(EVIL) >= 10
    assert not evil.all("script")
    assert not evil.all("img")


@given(text=st.text(min_size=1, max_size=20).filter(str.strip))
@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("name", PAGES)
def test_no_text_changes_the_structure_of_a_page(name, text):
    # Labels decide whether a matrix has named columns; a long one is compared with a long one.
    harmless = parse_page(PAGES[name]("x" * len(text)))
    page = PAGES[name](text)
    assert parse_page(page).structure == harmless.structure
    page.encode()  # whatever the corpus held, the page is UTF-8


def test_the_page_loads_nothing_and_runs_nothing(render):
    page = parse_page(render(EVIL))
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "form", "base")
        for name in attributes:
            assert not name.startswith("on")
            assert name not in ("src", "href", "style", "action", "srcset", "xlink:href")
    assert "url(" not in page.style
    assert "@import" not in page.style


@pytest.mark.parametrize("harmful", HARMFUL)
def test_no_text_sends_the_reader_elsewhere(render, harmful):
    html = render(harmful)
    page = parse_page(html)
    assert page.structure == parse_page(render("x" * len(harmful))).structure
    heads = [meta for meta in page.all("meta") if "http-equiv" in meta]
    assert [meta["http-equiv"] for meta in heads] == ["Content-Security-Policy"]
    known = {"charset", "http-equiv", "content", "name"}
    assert all(known.issuperset(meta) for meta in page.all("meta"))
    assert not {"a", "base", "form", "input", "link", "iframe"} & {tag for tag, _ in page.elements}
    # The policy comes before any text, so that it holds for all of it.
    assert html.index("http-equiv") < html.index("<title>")
    assert html.count("<meta") == 4


def test_a_long_value_is_cut_with_a_mark(render):
    assert "[… 1 character …]" in render("x" * (MAX_CHARACTERS + 1))
    assert len(render("<" * 1_000_000)) < 20_000_000


def test_only_the_first_inputs_are_listed():
    many = [
        file for number in range(INPUTS_SHOWN + 2) for file in made_up.inputs(f"file-{number}.csv")
    ]
    html = render_run_report(made_up.run_report(inputs=many))
    assert f"file-{INPUTS_SHOWN - 1}.csv" in html
    assert f"file-{INPUTS_SHOWN}.csv" not in html
    assert "And 2 files more, which the manifest names." in html


def test_the_policy_allows_the_style_sheet_of_the_page_and_nothing_else(render):
    page = parse_page(render("x"))
    (policy,) = [
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy is not None
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_what_a_screen_reader_needs(render):
    page = parse_page(render("x"))
    assert page.all("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or svg.get("aria-labelledby")
    assert len(page.all("caption")) == len(page.all("table")) >= 2
    assert all(header.get("scope") in ("row", "col") for header in page.all("th"))
    # Text of any direction finds its own.
    assert all(p.get("dir") == "auto" for p in page.all("p") if p.get("class") == "text")


def test_control_characters_become_visible(render):
    html = render("a\x00b\x1b[31mc\x85")
    assert "a␀b␛[31mc\ufffd" in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", html)


def test_every_reason_for_a_rejection_is_explained():
    assert set(REASONS) == set(REJECTION_REASONS)


def color(value: str) -> tuple[float, float, float]:
    """`#rrggbb` or `r g b`, each 0 to 255."""
    if value.startswith("#"):
        return tuple(int(value[at : at + 2], 16) for at in (1, 3, 5))  # type: ignore[return-value]
    return tuple(float(part) for part in value.split())  # type: ignore[return-value]


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in rgb
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Contrast ratio as WCAG 2 defines it; 4.5 is the least for text."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def page() -> Page:
    return parse_page(model_page("x"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_on_every_shade(page, scheme):
    light, dark = re.findall(r":root \{(.*?)\}", page.style, re.DOTALL)[:2]
    variables = dict(re.findall(r"--([\w-]+): ([^;]+);", light))
    if scheme == "dark":
        variables |= dict(re.findall(r"--([\w-]+): ([^;]+);", dark))
    ink, muted, accent = (color(variables[name]) for name in ("ink", "muted", "accent"))
    grounds = [color(variables[name]) for name in ("page", "card", "warning")]
    for ground in grounds:
        assert contrast(ink, ground) >= 7
        assert contrast(muted, ground) >= 4.5
        assert contrast(accent, ground) >= 4.5
    for name, kind in (("a", "attention"), ("right", "right"), ("error", "error")):
        pattern = rf"\.{name}-?(\d) {{ background: rgb\(var\(--{kind}\)(?: / ([\d.]+))?\)"
        shades = {
            int(level): float(opacity or 1) for level, opacity in re.findall(pattern, page.style)
        }
        assert sorted(shades) == list(range(1, LEVELS + 1))
        assert sorted(shades.values()) == [shades[level] for level in sorted(shades)]
        for opacity in shades.values():
            for ground in grounds:
                shade = tuple(
                    opacity * top + (1 - opacity) * below
                    for top, below in zip(color(variables[kind]), ground, strict=True)
                )
                assert contrast(ink, shade) >= 4.5, (name, opacity)
