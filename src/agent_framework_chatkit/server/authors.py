"""Gives messages roles and authors that every service accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import groupby

from agent_framework import Message

_ROLES = frozenset({"system", "user", "assistant", "tool"})


def with_known_role(message: Message) -> Message:
    """Return a message as the agent's, or a developer's as the system's, if its role is unknown."""
    if message.role in _ROLES:
        return message
    known = copy(message)
    known.role = "system" if message.role == "developer" else "assistant"
    return known


def as_user(message: Message) -> Message:
    """Return a message as the user's."""
    changed = copy(message)
    changed.role = "user"
    return changed


def with_names(
    messages: Iterable[Message], can_be_joined: Callable[[Message], bool]
) -> Iterator[Message]:
    """Write the names of agents that speak one after another into their texts.

    Strict chat templates refuse two messages of agents in a row, and a joined message has only one
    author.

    Args:
        messages: The messages. They are not changed.
        can_be_joined: Returns whether a message is an agent's and can be joined with the next one.
    """
    for is_group, group in groupby(messages, can_be_joined):
        adjacent = list(group)
        names = {each.author_name for each in adjacent if each.author_name}
        yield from map(_named, adjacent) if is_group and len(names) > 1 else adjacent


def _named(message: Message) -> Message:
    """Return a message whose text starts with its author's name instead, if it has both."""
    named = copy(message)
    named.author_name = None
    named.contents = list(message.contents)
    for at, content in enumerate(message.contents):
        if content.type == "text" and message.author_name:
            named.contents[at] = copy(content)
            named.contents[at].text = f"{message.author_name}: {content.text}"
            break
    return named
