"""The model of a thread: what was said in it, as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from agent_framework import (
    Message,
)

from agent_framework_chatkit.server.run import current_run

TOKEN = re.compile(r"\b[A-Z]\d+\b")
"""U: a user's message. S: the input of a turn that code has started. A: an item that code has
added. T: text of the agent. C: a call. R: its result."""

_NOTE = re.compile(r"<HIDDEN_CONTEXT>(?!A\d+</).*?</HIDDEN_CONTEXT>", re.DOTALL)
"""What the agent is told of how an answer ended, which may name what it had done."""

Plan = list[list[tuple[str, float]]]
"""What the model does in each of its calls: the steps, and how long they take."""


@dataclass
class Word:
    """A token that the agent's model has to read, or may.

    Attributes:
        token: What it says.
        run: The run in which it was said.
        is_placed: Whether it is known where it stands among the others.
        is_certain: Whether it must be read. It need not be if whoever knew of it may have died.
        is_proven: Whether it is known to be stored.
        settled_at: For an item that code has added: how many tokens there were when no turn was
            running. Turns that begin later read it.
    """

    token: str
    run: str = ""
    is_placed: bool = True
    is_certain: bool = False
    is_proven: bool = False
    settled_at: int | None = None

    def prove(self) -> None:
        self.is_certain = self.is_proven = True


@dataclass
class Exchange:
    """The model of a thread: what was exchanged in it, oldest first.

    Attributes:
        words: What was exchanged.
        lost_runs: Runs whose worker died, or lost its lease.
    """

    words: list[Word] = field(default_factory=list)
    lost_runs: set[str] = field(default_factory=set)

    def find(self, token: str) -> Word | None:
        return next((word for word in self.words if word.token == token), None)

    def add(self, token: str) -> Word:
        word = self.find(token)
        if word is None:
            run = current_run.get()
            word = Word(token, "" if run is None else run.id)
            self.words.append(word)
        return word

    def cut(self, token: str, replacement: str | None) -> None:
        """Forget what came after a word, which may be replaced."""
        index = next(i for i, word in enumerate(self.words) if word.token == token)
        del self.words[index + 1 :]
        self.words[index].token = replacement or token
        self.words[index].prove()

    def lose(self, run: str) -> None:
        """Be sure of nothing that a run has said, but of what is known to be stored."""
        self.lost_runs.add(run)
        for word in self.words:
            if word.run == run and not word.is_proven:
                word.is_certain = False


@dataclass
class Sent:
    """A request that begins a turn, once.

    Attributes:
        kind: Its type.
        params: Its parameters.
        metadata: What else it says.
        token: The message that it sends, if it sends one.
        retried: The message that it has answered anew.
        has_begun: Whether it has begun a turn.
        thread_id: The thread.
    """

    kind: str
    params: dict[str, Any]
    metadata: dict[str, Any]
    token: str | None = None
    retried: str | None = None
    has_begun: bool = False
    thread_id: str = ""


def tokens_of(messages: list[Message]) -> list[str]:
    """Return what messages say, token by token."""
    found: list[str] = []
    for each in messages:
        for content in each.contents:
            if content.type == "text":
                found += TOKEN.findall(_NOTE.sub("", content.text or ""))
            elif content.type == "function_call":
                found.append(str(content.call_id))
            elif content.type == "function_result":
                found += TOKEN.findall(str(content.result))
    return found


def short(messages: list[Message]) -> str:
    return " | ".join(
        f"{each.role}: "
        + ", ".join(
            str(content.text or content.result or content.call_id) for content in each.contents
        )
        for each in messages
    )


def tokens_shown(item: dict[str, Any]) -> list[str]:
    """Return what a message says, token by token."""
    if item["type"] not in ("user_message", "assistant_message"):
        return []
    return [token for part in item["content"] for token in TOKEN.findall(part["text"])]


def is_later(word: Word, newest: str) -> bool:
    """Return whether a turn may have begun before it could read what code has given."""
    if word.token[0] == "S":
        return not word.is_certain and int(word.token[1:]) > int(newest[1:])
    if word.token[0] == "A":
        return word.settled_at is None or word.settled_at > int(newest[1:])
    # A turn that goes on after an answer is told of a message that came meanwhile, and whose turn
    # was cut short, no sooner than with the next.
    return word.token[0] == "U" and int(word.token[1:]) > int(newest[1:])
