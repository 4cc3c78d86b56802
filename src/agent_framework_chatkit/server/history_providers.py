"""History providers for agents: the thread's history or the app's own."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, TypeAlias

from agent_framework import (
    AgentSession,
    CompactionProvider,
    Content,
    ContextProvider,
    HistoryProvider,
    Message,
    RawAgent,
    SessionContext,
)

from ..bridge.overrides import limited
from ..error_log import log_error
from .acceptable import acceptable_input, before_input, is_approval, is_start
from .call_ids import CallIds

logger = logging.getLogger(__name__)

_Key: TypeAlias = "tuple[str, str | None]"

SAVED_WITHIN = 10.0
"""Maximum seconds for the app's own history to save a turn that was cut short."""

SOURCE = "agent_framework_chatkit"
"""The source ID of the thread's history among an agent's context providers."""


class OwnHistory(HistoryProvider):
    """Wraps the app's own history provider and notes the messages it has saved.

    Args:
        provider: The app's provider.
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
        self._saved: Counter[_Key] = Counter()
        """The contents of the run's messages that the provider has received."""

    async def before_run(self, *, context: SessionContext, **given: Any) -> None:
        """Add the earlier messages from the app's history, in a form that services accept."""
        await self.provider.before_run(context=context, **given)
        loaded = context.context_messages.get(self.source_id)
        if loaded:
            fitting = before_input(loaded, context.input_messages)
            context.context_messages[self.source_id] = fitting

    async def after_run(self, *, context: SessionContext, **given: Any) -> None:
        """Save the messages of a run or a model call to the app's history."""
        await self.provider.after_run(context=context, **given)
        response = context.response
        messages = [*context.input_messages, *(response.messages if response else ())]
        self._saved.update(_key(content) for each in messages for content in each.contents)

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """Return the messages in the app's history."""
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
        """Save a turn that was cut short to the app's history.

        Args:
            run_with: The session that the agent ran with.
            stored: The session that the next turn starts with.
            messages: The turn's messages, of which some may already be saved.
        """
        name = self.source_id
        if name in run_with.state:
            stored.state[name] = run_with.state[name]
        # The results of approved calls stand for the approvals, and follow the saved calls.
        try:
            saving = self.provider.save_messages(
                stored.session_id,
                self._unsaved(messages),
                state=stored.state.setdefault(name, {}),
            )
            await limited(saving, SAVED_WITHIN)
        except Exception:
            log_error(logger, "The app's own history could not save a turn that was cut short.")

    async def save_missed(self, session: AgentSession, messages: Sequence[Message]) -> None:
        """Save a turn whose worker died to the app's history.

        Args:
            session: The session of the next turn.
            messages: The turn's messages, of which the first ones may already be saved.
        """
        state = session.state.setdefault(self.source_id, {})
        loaded = await self.provider.get_messages(session.session_id, state=state)
        starts = [at for at, each in enumerate(loaded) if is_start(each)]
        last = loaded[starts[-1] :] if starts else []
        self._saved = Counter(_key(content) for each in last for content in each.contents)
        unsaved = self._unsaved(messages)
        self._saved.clear()
        if unsaved:
            await self.provider.save_messages(session.session_id, unsaved, state=state)

    def _unsaved(self, messages: Sequence[Message]) -> list[Message]:
        """Return what the provider has not received, without approvals, as services accept it."""
        unsaved = [rest for each in messages if (rest := self._rest_of(each)).contents]
        return acceptable_input(unsaved, CallIds())

    def _rest_of(self, message: Message) -> Message:
        """Return a message without approvals and contents that the provider has received."""
        contents = []
        for content in () if is_approval(message) else message.contents:
            if self._saved[_key(content)]:
                self._saved[_key(content)] -= 1
            else:
                contents.append(content)
        unsaved = copy(message)
        unsaved.contents = contents
        return unsaved


def _key(content: Content) -> _Key:
    """Return a key that identifies a content within a run."""
    return content.type, content.call_id or content.text or content.uri


class ThreadHistory(HistoryProvider):
    """Provides an agent with its thread's history for one turn.

    It stores nothing: the turn stores the exchanged messages, however it ends. If the framework
    saves messages after each model call, they are kept here for the run's next call.

    Args:
        messages: The history. The run may change these objects.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__(SOURCE)
        self.messages = list(messages)

    async def before_run(
        self, *, agent: Any, session: AgentSession, context: SessionContext, state: dict[str, Any]
    ) -> None:
        """Add the earlier messages, unless the agent's service stores them itself."""
        if session.service_session_id is None:
            add_marks(self.messages)
            context.context_messages[self.source_id] = list(self.messages)

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
        """Keep messages for the run's next model call."""
        self.messages.extend(messages)


def _marks() -> dict[str, Any]:
    """Return the properties with which the framework marks messages of the thread's history."""
    context = SessionContext(input_messages=[])
    context.extend_messages(ThreadHistory([]), [Message("user", [])])
    (marked,) = context.context_messages[SOURCE]
    return marked.additional_properties


_MARKS = _marks()


def add_marks(messages: Iterable[Message]) -> None:
    """Mark messages as part of the thread's history, unless they name another source."""
    for name, value in _MARKS.items():
        for message in messages:
            message.additional_properties.setdefault(name, value)


def own_history(agent: Any) -> HistoryProvider | None:
    """Return the history provider that the app gave to an agent, if any."""
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
    """Return an agent's context providers, with the thread's history added."""
    # A provider that compacts the context needs the history before it.
    place = next(
        (i for i, each in enumerate(providers) if isinstance(each, CompactionProvider)),
        len(providers),
    )
    return [*providers[:place], ThreadHistory(history), *providers[place:]]
