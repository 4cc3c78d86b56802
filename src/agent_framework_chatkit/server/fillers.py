"""Messages that stand in for missing ones: strict services refuse conversations without them."""

from __future__ import annotations

from agent_framework import Message

NO_ANSWER = "(There was no answer.)"
"""Stands in for an answer that was cut short before it started."""

_NO_QUESTION = "(The conversation starts with the assistant.)"


def answered(messages: list[Message]) -> list[Message]:
    """Return the messages, with an agent's message at the end if a tool result is last."""
    if messages and messages[-1].role == "tool":
        return [*messages, Message("assistant", [NO_ANSWER])]
    return messages


def opened(messages: list[Message]) -> list[Message]:
    """Return the messages, with a user's message before the first if that is the agent's."""
    first = next((i for i, each in enumerate(messages) if each.role != "system"), 0)
    if messages and messages[first].role == "assistant":
        return [*messages[:first], Message("user", [_NO_QUESTION]), *messages[first:]]
    return messages
