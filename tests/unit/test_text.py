from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
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


@pytest.mark.parametrize("char", "\u3164\uffa0\u115f\u1160\u034f\ufe0f\U000e0100\u2800\u180b")
def test_letters_that_are_blank_become_escapes(char: str) -> None:
    assert visible(f"a{char}b").isascii()


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
        "a\u00a0b",
    ):
        assert visible(text) == text
    assert visible("a\nb\tc\r", keep="\n\t") == "a\nb\tc\\r"


def test_joiners_are_kept_where_words_need_them() -> None:
    assert visible(PERSIAN) != PERSIAN
    assert visible(PERSIAN, in_name=True) == PERSIAN == without_hidden(PERSIAN)
    assert visible("pay\u200dpal", in_name=True) == "pay\\u200dpal"
    assert without_hidden(f"\u200d{PERSIAN}\u200c") == PERSIAN


def test_name_with_hidden_characters_is_shown_whole() -> None:
    assert readable_name("send_\u202emoney") == "send_\\u202emoney"
