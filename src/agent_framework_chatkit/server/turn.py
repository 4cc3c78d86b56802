"""One turn of an agent in a thread, and what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from copy import copy
from typing import Any, Generic, TypeAlias

from agent_framework import (
    AgentResponseUpdate,
    AgentSession,
    Content,
    HistoryProvider,
    Message,
    RawAgent,
    SupportsAgentRun,
)
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from typing_extensions import TypeVar

from ..bridge.context import AgentContext
from ..bridge.streaming import close_stream
from ..interrupts.pause import Pause, release
from ..stores import SQLStore
from ..workflows.runner import ThreadWorkflow
from .history import ThreadHistory

TurnAgent: TypeAlias = SupportsAgentRun | ThreadWorkflow
"""Who can answer in a turn."""

TContext = TypeVar("TContext", default=Any)


class Turn(Generic[TContext]):
    """A turn that is running.

    Args:
        agent: Who answers.
        store: Keeps the thread, its sessions and its messages.
        thread_id: The thread.
        turn_id: The id of the turn's user message.
        context: The request's context.
        session: The session of the turn before; the run goes on with it.
        messages: What is new to the agent.
        resumed: What the turn was paused for, if it goes on.
        withdrawn: What the turn before was paused for, if this one goes on without an answer.
    """

    def __init__(
        self,
        agent: TurnAgent,
        store: SQLStore[TContext],
        thread_id: str,
        turn_id: str,
        context: TContext,
        session: AgentSession,
        messages: list[Message],
        *,
        resumed: Pause | None = None,
        withdrawn: Pause | None = None,
    ) -> None:
        self._agent = agent
        self._sessions = store.sessions(thread_id, context)
        self.turn_id = turn_id
        self.resumed = resumed
        self.withdrawn = withdrawn
        self._session = session
        self._start = session.to_dict()
        """The session as it was, for a turn that does not end well."""
        self._messages = messages
        self._history = ThreadHistory(store, thread_id, turn_id, context)
        self._said: dict[str, list[str]] = {}
        """The text that was shown, by message."""
        self._pause = Pause()
        """What the run waits for when it has ended."""

    def run(
        self, context: AgentContext[TContext], options: dict[str, Any]
    ) -> AsyncIterable[AgentResponseUpdate]:
        """Run the agent on what is new to it.

        Args:
            context: What its tools may do to the thread.
            options: The model and tool that the person chose.
        """
        self._pause = context.pause
        agent: Any = self._agent
        if isinstance(agent, ThreadWorkflow):
            return agent.run(
                self._messages,
                pause=context.pause,
                resumed=self.resumed,
                history=self._history,
                function_invocation_kwargs=context.function_invocation_kwargs,
            )
        if keeps_history(agent) and not _has_own_history(agent):
            # A copy, since the agent answers in other threads at the same time.
            agent = copy(agent)
            agent.context_providers = [*agent.context_providers, self._history]
        chosen = {"options": options} if options and isinstance(agent, RawAgent) else {}
        run: AsyncIterable[AgentResponseUpdate] = agent.run(
            self._messages,
            stream=True,
            session=self._session,
            function_invocation_kwargs=context.function_invocation_kwargs,
            **chosen,
        )
        return run if self.resumed is None else _noting_results(run, self.resumed.results)

    def note(self, event: ThreadStreamEvent) -> None:
        """Remember what the agent says, in case it is not let finish."""
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(
            update := event.update, AssistantMessageContentPartTextDelta
        ):
            self._said.setdefault(event.item_id, []).append(update.delta)

    async def keep(self) -> None:
        """Store the session for the next turn, with what the run waits for."""
        self._pause.keep_in(self._session)
        await self._sessions.set(self.turn_id, self._session)

    async def keep_unfinished(self) -> None:
        """Store what was asked and said, so that the next turn knows of it."""
        messages: list[Message] = []
        if self._history.is_saved:
            # The run has ended, but nobody has seen all that it asks.
            session, pause = self._session, self._pause
        else:
            session, pause = AgentSession.from_dict(self._start), self.resumed or Pause()
            said = [Message("assistant", ["".join(texts)]) for texts in self._said.values()]
            if isinstance(self._agent, ThreadWorkflow):
                messages = [*self._messages, *said]
            else:
                messages = [*([] if self.resumed else self._messages), *pause.closing(), *said]
        if reads_rows(self._agent, session):
            release(session)
        else:
            pause.is_resumed = True
            pause.keep_in(session)
        if messages and keeps_history(self._agent):
            await self._history.save_messages(None, messages)
        await self._sessions.set(self.turn_id, session)


def keeps_history(agent: TurnAgent) -> bool:
    """Return whether an agent asks its context providers for earlier messages."""
    return isinstance(agent, (RawAgent, ThreadWorkflow))


def reads_rows(agent: TurnAgent, session: AgentSession) -> bool:
    """Return whether an agent reads earlier messages from the store."""
    if isinstance(agent, ThreadWorkflow):
        return True
    is_ours = keeps_history(agent) and not _has_own_history(agent)
    return is_ours and session.service_session_id is None


def _has_own_history(agent: Any) -> bool:
    return any(
        isinstance(provider, HistoryProvider) and provider.load_messages
        for provider in agent.context_providers
    )


async def _noting_results(
    run: AsyncIterable[AgentResponseUpdate], results: list[Content]
) -> AsyncGenerator[AgentResponseUpdate, None]:
    """Yield a run's updates, and note what its tools return, in case it is cut short."""
    try:
        async for update in run:
            results.extend(each for each in update.contents if each.type == "function_result")
            yield update
    finally:
        await close_stream(run)
