"""What an agent remembers of a thread: the messages of its turns, kept in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from agent_framework import AgentSession, HistoryProvider, Message, SessionContext
from typing_extensions import TypeVar

from ..stores import SQLStore

TContext = TypeVar("TContext", default=Any)


class ThreadHistory(HistoryProvider, Generic[TContext]):
    """The history of one thread, for one turn of an agent.

    Each turn adds its own messages and rewrites none, so that a turn costs the same however
    long the thread is. Unlike a history that is rebuilt from thread items, it holds tool calls
    and their results.

    Args:
        store: Where the messages are.
        thread_id: The thread.
        turn_id: The turn that new messages belong to: the id of its user message.
        context: The request's context.
    """

    def __init__(
        self, store: SQLStore[TContext], thread_id: str, turn_id: str, context: TContext
    ) -> None:
        super().__init__("agent_framework_chatkit")
        self._store = store
        self._thread_id = thread_id
        self._turn_id = turn_id
        self._context = context
        self.is_saved = False
        """Whether the turn's messages are stored."""

    async def before_run(
        self, *, agent: Any, session: AgentSession, context: SessionContext, state: dict[str, Any]
    ) -> None:
        """Give the agent the earlier messages, unless its service keeps them itself."""
        if session.service_session_id is None:
            await super().before_run(agent=agent, session=session, context=context, state=state)

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """Return the thread's messages, oldest first."""
        return await self._store.load_messages(self._thread_id, self._context)

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add the turn's messages."""
        await self._store.add_messages(self._thread_id, self._turn_id, messages, self._context)
        self.is_saved = True
