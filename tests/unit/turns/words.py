"""The model of a thread: its texts, calls and results as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from agent_framework import (
    Message,
)

from agent_framework_chatkit.server.run import current_run

TOKEN = re.compile(r"\b[A-Z]\d+\b")
"""U: a user's message. S: the input of a turn that code started. A: an item that code
added. T: text of the agent. C: a call. R: its result."""

_NOTE = re.compile(r"<HIDDEN_CONTEXT>(?!A\d+</).*?</HIDDEN_CONTEXT>", re.DOTALL)
"""The agent's hidden context about the end of an answer, which may name calls."""

Plan = list[list[tuple[str, float]]]
"""The steps of each request to the model, with their durations."""


@dataclass
class Word:
    """A token that the agent's model must read, or may read.

    Attributes:
        token: The token.
        run: The run that it belongs to.
        turn: The turn that it belongs to.
        is_placed: Whether its place among the others is known.
        is_certain: Whether it must be read. It need not be read if a dead worker may have lost it.
        is_proven: Whether it is certainly stored.
        is_removed: Whether its item was removed by a retry of a later message.
        settled_at: For an item that code added: the number of tokens when no turn was running.
            Turns that start later read it.
    """

    token: str
    run: str = ""
    turn: str = ""
    is_placed: bool = True
    is_certain: bool = False
    is_proven: bool = False
    is_removed: bool = False
    settled_at: int | None = None

    def prove(self) -> None:
        self.is_certain = self.is_proven = True


@dataclass
class Exchange:
    """The model of a thread: its tokens, oldest first.

    Attributes:
        words: The tokens.
        lost_runs: Runs whose worker died or lost its lease.
    """

    words: list[Word] = field(default_factory=list)
    lost_runs: set[str] = field(default_factory=set)

    def find(self, token: str) -> Word | None:
        return next((word for word in self.words if word.token == token), None)

    def add(self, token: str) -> Word:
        word = self.find(token)
        if word is None:
            run = current_run.get()
            word = Word(token) if run is None else Word(token, run.id, run.turn_id)
            self.words.append(word)
        return word

    def cut(self, token: str, replacement: str | None) -> None:
        """Forget the words after a word, and optionally replace it.

        The agent still knows what an earlier turn did after it, but nobody sees it.
        """
        index = next(i for i, word in enumerate(self.words) if word.token == token)
        word, before, after = self.words[index], self.words[:index], self.words[index + 1 :]
        earlier = {each.turn for each in before} - {""}
        known = [each for each in after if each.turn in earlier]
        for each in known:
            each.is_removed = True
        self.words = [*before, *known, word]
        word.token = replacement or token
        word.prove()

    def lose(self, run: str) -> None:
        """Mark a run's words as uncertain, unless they are certainly stored."""
        self.lost_runs.add(run)
        for word in self.words:
            if word.run == run and not word.is_proven:
                word.is_certain = False


@dataclass
class Sent:
    """A request that starts a turn, once.

    Attributes:
        kind: Its type.
        params: Its parameters.
        metadata: Its metadata.
        token: The token of its message, if it sends one.
        retried: The message that it retries.
        has_begun: Whether it started a turn.
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
    """Return the tokens in messages."""
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
    """Return the tokens in a message."""
    if item["type"] not in ("user_message", "assistant_message"):
        return []
    return [token for part in item["content"] for token in TOKEN.findall(part["text"])]


def is_later(word: Word, newest: str) -> bool:
    """Return whether a turn may have started before it could read an item from code."""
    if word.token[0] == "S":
        return not word.is_certain and int(word.token[1:]) > int(newest[1:])
    if word.token[0] == "A":
        return word.settled_at is None or word.settled_at > int(newest[1:])
    # A turn that resumes after an answer sends a message that arrived meanwhile, and whose turn
    # was interrupted, with the next message at the earliest.
    return word.token[0] == "U" and int(word.token[1:]) > int(newest[1:])
