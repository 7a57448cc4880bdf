import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.config import ConfigError, TextConfig
from model.text.characters import CharacterClass, class_table
from model.text.string_buffers import build_strings
from model.text.tokenizer import Tokenizer
from tests.model.text.tokenizer_reference import PROTECTED, Token, fold, texts, tokenize

SWITCHES = ("lowercase", "nfkc", "fold_digits", "drop_html")
CONFIGS = [
    TextConfig(**dict(zip(SWITCHES, values, strict=True)), protected=protected)
    for values in itertools.product([False, True], repeat=len(SWITCHES))
    for protected in ((), PROTECTED)
]
KEEPING = [
    TextConfig(invisible="keep"),
    TextConfig(invisible="keep", nfkc=True, drop_html=True, protected=PROTECTED),
]
TOKENIZERS = [(config, Tokenizer(config)) for config in (*CONFIGS, *KEEPING)]
PLAIN = Tokenizer(TextConfig(lowercase=False))


def surfaces(text: str, tokenizer: Tokenizer = PLAIN) -> list[str]:
    return tokenizer.tokenize(pa.array([text])).surfaces()[0].as_py()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\r\n\0\ufeff\u00a0\u3000\u200b", []),
        # English
        ("Don't stop!", ["Don't", "stop", "!"]),
        ("rock 'n' roll's o'clock'", ["rock", "'", "n", "'", "roll's", "o'clock", "'"]),
        ("it''s ’tis y’all’d've", ["it", "'", "'", "s", "’", "tis", "y’all’d've"]),
        ("class'99 o'é '90s x'_ ٣’٣", ["class'99", "o'é", "'", "90s", "x'_", "٣’٣"]),
        ("3.14, 1,000 x_1", ["3", ".", "14", ",", "1", ",", "000", "x_1"]),
        ("50% #tag @you $5", ["50", "%", "#", "tag", "@", "you", "$", "5"]),
        ("well-known... e.g.", ["well", "-", "known", ".", ".", ".", "e", ".", "g", "."]),
        ("\ufeffBOM and\0NUL\r\nCRLF", ["BOM", "and", "NUL", "CRLF"]),
        ("a<br /><b>", ["a", "<", "br", "/", ">", "<", "b", ">"]),
        # other alphabets
        ("Größe der Straße", ["Größe", "der", "Straße"]),
        ("l’homme d'été", ["l’homme", "d'été"]),
        ("l'e\u0301te\u0301'a", ["l'e\u0301te\u0301'a"]),
        ("ΟΔΥΣΣΕΥΣ, да?", ["ΟΔΥΣΣΕΥΣ", ",", "да", "?"]),
        ("السَّلامُ عليكم، ٢٠٢٤", ["السَّلامُ", "عليكم", "،", "٢٠٢٤"]),
        ("\u202bשָׁלוֹם\u202c", ["שָׁלוֹם\u202c"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("co\u00adop co\u2060op", ["co\u00adop", "co\u2060op"]),
        # one token for each character
        ("我爱北京2024年", ["我", "爱", "北", "京", "2024", "年"]),
        ("𠀀々〇。", ["𠀀", "々", "〇", "。"]),
        ("ラーメンを食べるAI", ["ラー", "メ", "ン", "を", "食", "べ", "る", "AI"]),
        ("ｶﾞｷﾞｰ か\u3099", ["ｶﾞ", "ｷﾞｰ", "か\u3099"]),
        ("ภาษาไทยที่ ๒๐", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย", "ที่", "๒๐"]),
        ("ខ្មែរ ລາວ မြန်", ["ខ្", "មែ", "រ", "ລ", "າ", "ວ", "မြ", "န်"]),
        # emoji
        ("👩‍🚀👍🏽❤️‍🔥x", ["👩‍🚀", "👍🏽", "❤️‍🔥", "x"]),
        ("🇺🇸🇩🇪🇫 🇯🇵", ["🇺🇸", "🇩🇪", "🇫", "🇯🇵"]),
        ("🏴\U000e0067\U000e0062\U000e007f1️⃣#️⃣", ["🏴\U000e0067\U000e0062\U000e007f", "1️⃣", "#️⃣"]),
        ("🇺\u0301🇸🇩", ["🇺\u0301", "🇸🇩"]),
        # marks without a base, joiners in unusual places
        ("\u0301a \u0301' \ufe0f", ["\u0301a", "\u0301", "'"]),
        ("!\u0301a\u200d!\u200d", ["!\u0301", "a\u200d", "!\u200d"]),
        ("!\u200d'a'\u0301a", ["!\u200d", "'", "a", "'\u0301", "a"]),
        (
            "日\u200d本 ❤\u200d\u200d🔥 ❤\u200d\u0301🔥",
            ["日\u200d", "本", "❤\u200d\u200d🔥", "❤\u200d\u0301", "🔥"],
        ),
        # characters that nobody sees
        ("\u00adin\u200bvoice\ufeff was", ["in\u200bvoice\ufeff", "was"]),
        ("don\u200e'\u200et 🇺\u200b🇸", ["don\u200e'\u200et", "🇺\u200b🇸"]),
        ("\u200b \ufeff\u00ad\u2063\u3164", []),
        ("\u0378\ue000\uffff", ["\u0378", "\ue000", "\uffff"]),
    ],
)
def test_surfaces(text: str, expected: list[str]) -> None:
    assert surfaces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good<br /><br />bad", ["good", "bad"]),
        ('<A HREF="x>y">z</a><!DOCTYPE html>', ["y", '"', ">", "z"]),
        ("1 < 2 > 0 <3 a<b c>d", ["1", "<", "2", ">", "0", "<", "3", "a", "d"]),
        ("<p <b> x<br", ["<", "p", "x", "<", "br"]),
        ("<> </> <!> <é> <", ["<", ">", "<", "é", ">", "<"]),
        ("don<i>'t e<b>\u0301", ["don", "'", "t", "e", "\u0301"]),
        ("<日本 é>x<p日本é>y", ["<", "日", "本", "é", ">", "x", "y"]),
    ],
)
def test_drop_html(text: str, expected: list[str]) -> None:
    tokenizer = Tokenizer(TextConfig(drop_html=True, lowercase=False))
    tokens = tokenizer.tokenize(pa.array([text]))
    assert tokens.surfaces()[0].as_py() == expected
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the <e1>Big cat</e1>.", ["the", "<e1>", "big", "cat", "</e1>", "."]),
        ("@You: see HTTP http://X.y/?a=1,b", ["@you", ":", "see", "http", "http://x.y/?a=1,b"]),
        ("in New York's", ["in", "new york", "'", "s"]),
        ("don<e1>'t", ["don", "<e1>", "'", "t"]),
        ("<e1>\u0301<e1><e2>", ["<e1>", "\u0301", "<e1>", "<e2>"]),
        ("<b <e1> c> <b>x", ["<", "b", "<e1>", "c", ">", "x"]),
        ("é日@éa@b", ["é", "日", "@", "éa", "@b"]),
    ],
)
def test_protected_patterns_apply_before_drop_html(text: str, expected: list[str]) -> None:
    tokenizer = Tokenizer(TextConfig(drop_html=True, protected=PROTECTED))
    tokens = tokenizer.tokenize(pa.array([text]))
    assert tokens.folded()[0].as_py() == expected
    spans = zip(tokens.starts, tokens.ends, strict=True)
    assert [text[a:b].lower() for a, b in spans] == expected


def test_protected_line_break_is_folded_to_a_space() -> None:
    tokenizer = Tokenizer(TextConfig(protected=(r"new\s+york",)))
    tokens = tokenizer.tokenize(pa.array(["in new\r\nyork"]))
    assert tokens.surfaces()[0].as_py() == ["in", "new\r\nyork"]
    assert tokens.folded()[0].as_py() == ["in", "new  york"]


@pytest.mark.parametrize(
    ("options", "written", "expected"),
    [
        (
            {},
            ["Ab1", "İI", "ΟΔΟΣ", "ς", "ẞ", "Éa\u0301"],
            ["ab1", "ii", "οδοσ", "σ", "ß", "éa\u0301"],
        ),
        ({}, ["in\u00advoice", "👩\u200d🚀", "❤\ufe0f"], ["invoice", "👩🚀", "❤"]),
        ({"nfkc": True}, ["e\u034f\u0301", "می\u200cخ"], ["é", "میخ"]),
        ({"lowercase": False}, ["Ab1", "İ", "Σ"], ["Ab1", "İ", "Σ"]),
        ({"fold_digits": True}, ["2024", "٢٤", "x9²", "½"], ["0000", "00", "x0²", "½"]),
        (
            {"nfkc": True},
            ["ﬁN", "Ⅷ", "①", "e\u0301", "ｶﾞ", "Å"],
            ["fin", "viii", "1", "é", "ガ", "å"],
        ),
        ({"nfkc": True, "fold_digits": True}, ["①²", "１２"], ["00", "00"]),
        ({"nfkc": True}, ["ﷺ"], ["صلى الله عليه وسلم"]),
        # U+0378 is unassigned, and libraries disagree about its NFKC.
        ({"nfkc": True}, ["\u0378ﬁ", "ﬁ"], ["\u0378ﬁ", "fi"]),
        ({"nfkc": True, "lowercase": False}, ["plain"], ["plain"]),
    ],
)
def test_fold(options: dict, written: list[str], expected: list[str]) -> None:
    tokenizer = Tokenizer(TextConfig(**options))
    assert tokenizer.fold(written) == expected
    assert [fold(token, TextConfig(**options)) for token in written] == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(texts(), max_size=4))
@example(["İΣ<br />ς9", "a\0b\ufeff\r\n", "", "@you'll"])
def test_equals_the_reference(batch: list[str]) -> None:
    array = pa.array(batch, pa.string())
    for config, tokenizer in TOKENIZERS:
        tokens = tokenizer.tokenize(array)
        columns = (
            tokens.surfaces(),
            tokens.folded(),
            tokens.by_row(tokens.starts),
            tokens.by_row(tokens.ends),
        )
        found = [
            [Token(*fields) for fields in zip(*row, strict=True)]
            for row in zip(*(column.to_pylist() for column in columns), strict=True)
        ]
        assert found == [tokenize(text, config) for text in batch], config


@settings(deadline=None)
@given(texts())
def test_tokens_cover_the_text_in_order(text: str) -> None:
    tokens = PLAIN.tokenize(pa.array([text]))
    found = tokens.surfaces()[0].as_py()
    spans = list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True))
    assert [text[start:end] for start, end in spans] == found
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    covered = [place for start, end in spans for place in range(start, end)]
    kinds = class_table()[[ord(character) for character in text]]
    left_out = set(range(len(text))) - set(covered)
    assert all(
        kinds[place] == CharacterClass.SPACE or kinds[place] >= CharacterClass.IGNORABLE
        for place in left_out
    )
    assert not any(kinds[place] == CharacterClass.SPACE for place in covered)


IGNORABLE = [
    chr(code)
    for code in np.flatnonzero(class_table() == CharacterClass.IGNORABLE)
    if not 0xE0200 <= code < 0xE0FF0  # not a character yet
]


def test_every_ignorable_character_leaves_a_word_what_it_is() -> None:
    assert len(IGNORABLE) == 4_173 - 0xDF0
    for config in (TextConfig(), TextConfig(nfkc=True)):
        texts = [f"the{it} in{it}vo{it}ice" for it in IGNORABLE]
        tokens = Tokenizer(config).tokenize(pa.array([*texts, *IGNORABLE]))
        words = tokens.folded().to_pylist()
        assert words == [["the", "invoice"]] * len(texts) + [[]] * len(IGNORABLE)
        assert tokens.surfaces()[5].as_py() == texts[5].split(" ")


@settings(deadline=None)
@given(st.lists(texts() | st.sampled_from(IGNORABLE), max_size=8), st.booleans())
def test_ignorable_characters_do_not_change_the_tokens(pieces: list[str], nfkc: bool) -> None:
    tokenizer = Tokenizer(TextConfig(nfkc=nfkc))
    text = "".join(pieces)
    seen = "".join(character for character in text if character not in IGNORABLE)
    tokens = tokenizer.tokenize(pa.array([text, seen])).folded()
    assert tokens[0] == tokens[1]


def test_models_of_older_releases_keep_invisible_characters() -> None:
    tokenizer = Tokenizer(TextConfig(invisible="keep"))
    tokens = tokenizer.tokenize(pa.array(["in\u00advo\u200bice می\u200cخواهم ❤\ufe0f !\u200d!"]))
    assert tokens.folded()[0].as_py() == [
        "in\u00advo",
        "ice",
        "می\u200cخواهم",
        "❤\ufe0f",
        "!\u200d!",
    ]


@settings(deadline=None)
@given(st.lists(st.none() | texts(), min_size=1, max_size=6), st.data())
def test_a_row_does_not_depend_on_its_neighbors(
    batch: list[str | None], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(batch) - 1))
    config, tokenizer = data.draw(st.sampled_from(TOKENIZERS))
    array = pa.array(batch, data.draw(st.sampled_from([pa.string(), pa.large_string()])))
    tokens = tokenizer.tokenize(array[first:])
    assert tokens.row_offsets[0] == 0
    assert tokens.counts().dtype == np.int32
    for row, text in enumerate(batch[first:]):
        expected = [token.surface for token in tokenize(text or "", config)]
        assert tokens.surfaces()[row].as_py() == expected


@pytest.mark.parametrize("array", [pa.array([], pa.string()), pa.array(["x"])[1:]])
def test_an_empty_batch_has_no_tokens(array: pa.Array) -> None:
    for _, tokenizer in TOKENIZERS:
        tokens = tokenizer.tokenize(array)
        assert len(tokens) == 0
        assert tokens.surfaces().to_pylist() == tokens.folded().to_pylist() == []
        assert tokens.cut(3, "head")[1].tolist() == []


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=4))
@example([b"\xf0", b"\x80\xff"])
@example([b"<b\xff>", b"'\xe2\x80"])
def test_bytes_that_are_not_utf8_give_tokens_within_their_row(rows: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    array = build_strings(np.frombuffer(b"".join(rows), np.uint8), offsets)
    tokens = Tokenizer(TextConfig(drop_html=True)).tokenize(array)
    assert (tokens.byte_starts < tokens.byte_ends).all()
    edges = np.stack([tokens.byte_starts, tokens.byte_ends], axis=1).ravel()
    assert (np.diff(edges) >= 0).all()
    for row, token_range in enumerate(itertools.pairwise(tokens.row_offsets)):
        inside = edges[2 * token_range[0] : 2 * token_range[1]]
        assert ((offsets[row] <= inside) & (inside <= offsets[row + 1])).all()


def test_refuses_bad_patterns_and_types() -> None:
    with pytest.raises(
        ConfigError, match=r"text\.protected: expected RE2 patterns, got '\(\?<=a\)b'"
    ):
        Tokenizer(TextConfig(protected=("(?<=a)b",)))
    with pytest.raises(TypeError, match="got list"):
        PLAIN.tokenize(["a"])
