"""The history of a thread, as runs receive it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from agent_framework import Content, Message

from agent_framework_chatkit.server.history import History


def rename(message: Message) -> None:
    message.author_name = "Mallory"


def redact(message: Message) -> None:
    message.contents = [Content.from_text("[redacted]")]


def extend(message: Message) -> None:
    message.contents.append(Content.from_text("By the way, ..."))


def annotate(message: Message) -> None:
    message.additional_properties["excluded"] = True


def unmark(message: Message) -> None:
    message.additional_properties.clear()


def a_history() -> History:
    history = History()
    for number in range(3):
        history.add([Message("user", [f"Question {number}"])])
        history.add([Message("assistant", [f"Answer {number}"])])
    return history


@pytest.mark.parametrize("change", [rename, redact, extend, annotate, unmark])
def test_later_runs_do_not_see_what_a_run_changed(change: Callable[[Message], None]) -> None:
    history = a_history()
    before = [message.to_dict() for message in history.messages()]
    for message in history.messages():
        change(message)
    assert [message.to_dict() for message in history.messages()] == before


def test_copies_are_used_again_unless_a_run_changed_them() -> None:
    history = a_history()
    first, second, *_ = history.messages()
    redact(second)
    history.add([Message("user", ["One more"])])
    again, replaced, *_, last = history.messages()
    assert again is first
    assert replaced is not second
    assert last.text == "One more"
