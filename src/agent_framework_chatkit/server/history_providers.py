"""Histories among an agent's context providers: its thread's, or the app's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import (
    AgentSession,
    CompactionProvider,
    ContextProvider,
    HistoryProvider,
    Message,
    RawAgent,
    SessionContext,
)

from .acceptable import acceptable_input

logger = logging.getLogger(__name__)

SOURCE = "agent_framework_chatkit"
"""The name of our history among an agent's context providers."""


class OwnHistory(HistoryProvider):
    """Stands for the history that an app has given to its agent, and knows what it has saved.

    Args:
        provider: The app's.
    """

    def __init__(self, provider: HistoryProvider) -> None:
        super().__init__(
            provider.source_id,
            load_messages=provider.load_messages,
            store_inputs=provider.store_inputs,
            store_context_messages=provider.store_context_messages,
            store_context_from=provider.store_context_from,
            store_outputs=provider.store_outputs,
        )
        self.provider = provider
        self.saved = 0
        """How many of the run's messages it has been given."""

    async def before_run(self, **given: Any) -> None:
        """Have the app's history give the agent the earlier messages."""
        await self.provider.before_run(**given)

    async def after_run(self, *, context: SessionContext, **given: Any) -> None:
        """Have the app's history save the messages of a run, or of a call of the model."""
        await self.provider.after_run(context=context, **given)
        response = context.response
        self.saved += len(context.input_messages) + len(response.messages if response else ())

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """Return the messages that the app's history has."""
        return await self.provider.get_messages(session_id, state=state, **kwargs)

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Save messages to the app's history."""
        await self.provider.save_messages(session_id, messages, state=state, **kwargs)

    async def save_unclean(
        self, run_with: AgentSession, stored: AgentSession, messages: Sequence[Message]
    ) -> None:
        """Have the app's history know of a turn that did not end well.

        Args:
            run_with: The session that the agent ran with.
            stored: The session that the next turn begins with.
            messages: What the turn has exchanged. The first of them may be saved already.
        """
        name = self.source_id
        if name in run_with.state:
            stored.state[name] = run_with.state[name]
        try:
            await self.provider.save_messages(
                stored.session_id,
                acceptable_input(messages[self.saved :]),
                state=stored.state.setdefault(name, {}),
            )
        except Exception:
            logger.exception("The app's own history could not save a turn that was cut short.")


class ThreadHistory(HistoryProvider):
    """Gives an agent the history of its thread, for one turn.

    It stores nothing itself: what the run exchanges is stored by the turn, whatever way the turn
    ends. Where the framework stores after each call of the model, the calls of this run are kept
    here for the next.

    Args:
        messages: The history.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__(SOURCE)
        self.messages = list(messages)

    async def before_run(
        self, *, agent: Any, session: AgentSession, context: SessionContext, state: dict[str, Any]
    ) -> None:
        """Give the agent the earlier messages, unless its service keeps them itself."""
        if session.service_session_id is None:
            context.extend_messages(self, [Message("user", [])])
            (marked,) = context.context_messages[self.source_id]
            marks = marked.additional_properties
            context.context_messages[self.source_id] = [
                _copy(message, marks) for message in self.messages
            ]

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """Return the thread's messages, oldest first."""
        return self.messages

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember messages for the next call of the model within the run."""
        self.messages.extend(messages)


def _copy(message: Message, marks: Mapping[str, Any]) -> Message:
    """Return a copy, which the run may change, with marks that say where it is from.

    A long thread spends four times as long in the framework's own copies.
    """
    copied = Message.__new__(type(message))
    copied.__dict__.update(message.__dict__)
    copied.additional_properties = {**marks, **message.additional_properties}
    return copied


def own_history(agent: Any) -> HistoryProvider | None:
    """Return the history that an agent was given by the app, if it was."""
    if not isinstance(agent, RawAgent):
        return None
    own = (
        provider
        for provider in agent.context_providers
        if isinstance(provider, HistoryProvider) and provider.load_messages
    )
    return next(own, None)


def with_history(
    providers: Sequence[ContextProvider], history: list[Message]
) -> list[ContextProvider]:
    """Return an agent's context providers with the thread's history among them."""
    # A provider that compacts what is in the context needs the history to be there already.
    place = next(
        (i for i, each in enumerate(providers) if isinstance(each, CompactionProvider)),
        len(providers),
    )
    return [*providers[:place], ThreadHistory(history), *providers[place:]]
