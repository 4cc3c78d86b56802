from __future__ import annotations

import unicodedata
from email.message import EmailMessage
from email.policy import HTTP

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_framework_chatkit.stores.attachments.file_names import content_disposition, harmless_name

ANY_NAME = st.text(st.characters(), max_size=400)


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("report.pdf", "report.pdf"),
        ("Ærlig talt – ja! (2).txt", "Ærlig talt – ja! (2).txt"),  # noqa: RUF001
        ("文件.png", "文件.png"),
        ("क्\u200dष.txt", "क्\u200dष.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("\u00a0.\u3000", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: b.txt", "aSet-Cookie_ b.txt"),
        ("a\x00.png", "a.png"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\ud83d\ude00.png", "😀.png"),
        ("\ud83d.png", "\ufffd.png"),
        ("x" + "\u0301" * 50 + ".png", "x" + "\u0301" * 5 + ".png"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.txt", "console.txt"),
        ('a<b>"c".txt', "a_b__c_.txt"),
        ("ends with a dot. ", "ends with a dot"),
        ("x" * 10_000 + ".pdf", "x" * 251 + ".pdf"),
        ("é" * 10_000 + ".pdf", "é" * 125 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_name_is_made_harmless(name: str, harmless: str) -> None:
    assert harmless_name(name) == harmless


@given(ANY_NAME)
@example("con" + "x" * 300 + ".txt")
@example("con." + "x" * 300)
@example("a" * 240 + "." + " " * 20 + ".pdf")
@example("con" + " " * 300 + ".txt")
@example("\u0344" * 200)
@example("e\u202e\u0301")
@example("\u0958" + "\u0301" * 5)
@example("e" + "\u0301\u0323" * 5)
@example("e" + "\u0301" * 4 + "\u202e" + "\u0301" * 4)
def test_any_text_becomes_stable_name(name: str) -> None:
    harmless = harmless_name(name)
    assert harmless
    assert len(harmless.encode()) <= 255
    assert not set(harmless) & set('/\\<>:"|?*')
    assert not harmless.startswith(".")
    assert not harmless.endswith((".", " "))
    assert not any(
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(char) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"}
        for char in harmless
    )
    assert harmless_name(harmless) == harmless


@given(ANY_NAME)
def test_header_carries_name(name: str) -> None:
    harmless = harmless_name(name)
    header = content_disposition("attachment", harmless)
    assert header.isascii()
    assert header.isprintable()
    message = EmailMessage(HTTP)
    message["Content-Disposition"] = f"attachment; {header.rpartition('; ')[2]}"
    assert message.get_filename() == harmless
