from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit.text import (
    code_block,
    mend_json,
    mend_surrogates,
    readable_name,
    shorten,
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


def test_a_very_long_name_is_cut() -> None:
    assert len(readable_name("x" * 10_000)) == 200


@given(any_text)
def test_mended_text_can_be_sent(text: str) -> None:
    mended = mend_surrogates(text)
    mended.encode()
    assert mend_surrogates(mended) == mended


@given(st.text())
def test_whole_text_is_left_as_it_is(text: str) -> None:
    assert mend_surrogates(text) == text


def test_pairs_are_joined() -> None:
    assert mend_surrogates("\ud83d\ude00") == "😀"


@given(st.dictionaries(any_text, any_text | st.datetimes(), max_size=3))
def test_any_arguments_can_be_sent_as_json(value: object) -> None:
    import json

    json.dumps(mend_json(value), ensure_ascii=False).encode()


@given(any_text, st.integers(1, 20))
def test_short_text_is_short(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


@given(st.text("`a\n", max_size=20))
def test_no_code_closes_its_fence(code: str) -> None:
    first, *lines, last = code_block(code, "python").split("\n")
    assert first == f"{last}python"
    assert all(not line.startswith(last) for line in lines)
