from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_framework_chatkit.text import (
    code_block,
    mend_json,
    mend_surrogates,
    readable_name,
    shorten,
    visible,
    without_hidden,
)

any_text = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("get_weather", "Get weather"),
        ("getWeather", "Get weather"),
        ("GetWeather", "Get weather"),
        ("get-weather.now", "Get weather now"),
        ("fetch_URL", "Fetch URL"),
        ("web_search", "Web search"),
        ("__", ""),
        ("", ""),
        ("wetter_für_Köln", "Wetter für köln"),
    ],
)
def test_names_from_code_become_readable(name: str, readable: str) -> None:
    assert readable_name(name) == readable


def test_very_long_name_is_cut() -> None:
    assert len(readable_name("x" * 10_000)) == 200


@given(any_text)
def test_repaired_text_can_be_sent(text: str) -> None:
    mended = mend_surrogates(text)
    mended.encode()
    assert mend_surrogates(mended) == mended


@given(st.text())
def test_valid_text_is_unchanged(text: str) -> None:
    assert mend_surrogates(text) == text


def test_surrogate_pairs_are_joined() -> None:
    assert mend_surrogates("\ud83d\ude00") == "😀"


@given(st.dictionaries(any_text, any_text | st.datetimes(), max_size=3))
def test_any_arguments_can_be_sent_as_json(value: object) -> None:
    import json

    json.dumps(mend_json(value), ensure_ascii=False).encode()


@given(any_text, st.integers(1, 20))
def test_short_text_is_unchanged(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


@given(st.text("`a\n", max_size=20))
def test_code_cannot_close_its_fence(code: str) -> None:
    first, *lines, last = code_block(code, "python").split("\n")
    assert first == f"{last}python"
    assert all(not line.startswith(last) for line in lines)


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f"
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
MONGOLIAN = "\u182e\u180b\u1823\u202f\u1836\u180e\u1820"
KATSURAGI = "\u845b\U000e0100\u57ce"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


def test_every_control_and_format_character_becomes_an_escape() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            shown = visible(f"a{char}b")
            assert shown.isascii(), hex(code)
            assert shown.isprintable(), hex(code)
            assert json.loads(f'"{shown}"') == f"a{char}b"
            assert without_hidden(f"a{char}b") == "ab"


@pytest.mark.parametrize(
    "char",
    "\u3164\uffa0\u115f\u1160\u034f\ufe0f\U000e0100\u2800\u180b\ufdd0\uffff\U00016fe4\U0001d159\U00013441",
)
def test_letters_that_are_blank_become_escapes(char: str) -> None:
    assert visible(f"a{char}b").isascii()


SPACES = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char) == "Zs" and char != " "
]


@pytest.mark.parametrize("char", SPACES, ids=lambda char: hex(ord(char)))
def test_unusual_spaces_become_escapes(char: str) -> None:
    assert visible(f"a{char}b") == f"a\\u{ord(char):04x}b"
    assert visible(f"/2024{char}old") == f"/2024\\u{ord(char):04x}old"
    assert visible(f"a{char}b", in_name=True) == "a b"
    assert without_hidden(f"a{char}b") == "a b"


deceiving = st.text(
    "ab1 :!\u00ab\u65e5\U0001f600\u200d" + "".join(SPACES) + "\u2800\u3164\u00ad\u202e"
)


@given(deceiving)
def test_text_can_be_read_back(text: str) -> None:
    assert json.loads(f'"{visible(text)}"') == text


@given(deceiving)
def test_other_spaces_stay_only_where_languages_need_them(text: str) -> None:
    shown = f"#{visible(text)}#"
    for before, char, after in zip(shown, shown[1:], shown[2:], strict=False):
        if char == "\u3000":
            assert "\u65e5" in (before, after)
        elif char in SPACES:
            assert char in "\xa0\u202f"
            assert before == "\u00ab" or after in ":!1"
        assert char not in "\u2800\u3164\u00ad\u202e"


@given(deceiving)
@example("\u3164\xa0:")
@example("1\xa0111\u00ad1")
@example("a\xa0:\nb")
def test_clean_names_are_unchanged(text: str) -> None:
    cleaned = without_hidden(text)
    assert without_hidden(cleaned) == cleaned


def test_foreign_letters_are_unchanged() -> None:
    for text in (
        "Köln",
        "日本語",
        "שלום",
        "नमस्ते",
        "👍🏽",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        FAMILY,
        WALES,
        "山田\u3000太郎\u3000",
        "\u3000吾輩は猫である。\u3000名前は",
        "\u00ab\u00a0Oui\u00a0!\u00a0\u00bb\u202f: 10\u202f000\u00a0000",
        "1\u00a0000,50",
    ):
        assert visible(text) == text == without_hidden(text)
    assert visible("a\nb\tc\r", keep="\n\t") == "a\nb\tc\\r"


def test_accents_that_pile_up_on_a_letter_become_escapes() -> None:
    """In a pile, they would cover the lines above and below."""
    for letter in ("ש\u05c1\u05bc\u05b4\u0596", "ཧ\u0f71\u0f74\u0f83", "ที่", "e\u0302\u0301"):
        assert visible(letter * 20) == letter * 20
    pile = "e" + "\u0301\u0489" * 50
    assert visible(pile) == pile[:6] + "\\u0489" + "\\u0301\\u0489" * 47
    assert json.loads(f'"{visible(pile)}"') == pile
    assert without_hidden(f"{pile}.txt") == pile[:6] + ".txt"


def test_joiners_are_kept_where_words_need_them() -> None:
    for name in (PERSIAN, MONGOLIAN, KATSURAGI):
        assert visible(name) != name
        assert visible(name, in_name=True) == name == without_hidden(name)
    assert visible("pay\u200dpal", in_name=True) == "pay\\u200dpal"
    assert without_hidden(f"\u200d{PERSIAN}\u200c") == PERSIAN


def test_file_names_get_ordinary_spaces() -> None:
    name = "Screenshot 2026-11-26 at 3.45\u202fPM.png"
    assert visible(name, in_name=True) == without_hidden(name) == name.replace("\u202f", " ")


def test_name_with_hidden_characters_is_shown_whole() -> None:
    assert readable_name("send_\u202emoney") == "send_\\u202emoney"
