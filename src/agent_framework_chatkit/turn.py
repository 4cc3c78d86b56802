"""One turn of an agent in a thread: where it starts, and what is kept of it."""

from __future__ import annotations

from copy import copy
from typing import Any, Generic

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    HistoryProvider,
    Message,
    RawAgent,
    ResponseStream,
    SupportsAgentRun,
    WorkflowAgent,
)
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    UserMessageItem,
)
from typing_extensions import TypeVar

from .context import AgentContext
from .converter import PAGE_SIZE, ThreadItemConverter, thread_to_agent_input
from .history import ThreadHistory
from .stores import SQLStore

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
    """

    def __init__(
        self,
        agent: SupportsAgentRun,
        store: SQLStore[TContext],
        thread_id: str,
        turn_id: str,
        context: TContext,
        session: AgentSession,
        messages: list[Message],
    ) -> None:
        self._agent = agent
        self._sessions = store.sessions(thread_id, context)
        self.turn_id = turn_id
        self._session = session
        self._start = session.to_dict()
        """The session as it was, for a turn that does not end well."""
        self._messages = messages
        self._history = ThreadHistory(store, thread_id, turn_id, context)
        self._said: dict[str, list[str]] = {}
        """The text that was shown, by message."""

    @classmethod
    async def begin(
        cls,
        agent: SupportsAgentRun,
        store: SQLStore[TContext],
        thread_id: str,
        user_message: UserMessageItem | None,
        context: TContext,
        converter: ThreadItemConverter,
    ) -> Turn[TContext] | None:
        """Begin a turn, or go on with the last one if there is no new message.

        Returns:
            The turn, or `None` if nobody has said anything in the thread yet.
        """
        sessions = store.sessions(thread_id, context)
        recent = await _unread_items(store, thread_id, context)
        if user_message is not None:
            turn_id = user_message.id
            # What an earlier try at this turn has left must not be remembered twice.
            await store.delete_messages(thread_id, turn_id, context)
            await sessions.delete(turn_id)
        else:
            asked = [item for item in recent if isinstance(item, UserMessageItem)]
            if not asked:
                return None
            turn_id = asked[-1].id
        session = await sessions.latest()
        if session is None or not (_keeps_history(agent) or session.service_session_id):
            messages = await thread_to_agent_input(store, thread_id, context, converter=converter)
        elif user_message is not None:
            messages = await converter.to_agent_input(_new_to_agent(recent))
        else:
            messages = await _answers(recent, converter)
        session = session or agent.create_session(session_id=thread_id)
        return cls(agent, store, thread_id, turn_id, context, session, messages)

    def run(
        self, context: AgentContext[TContext], options: dict[str, Any]
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Run the agent on what is new to it.

        Args:
            context: What its tools may do to the thread.
            options: The model and tool that the person chose.
        """
        agent: Any = self._agent
        if _keeps_history(agent) and not _has_own_history(agent):
            # A copy, since the agent answers in other threads at the same time.
            agent = copy(agent)
            agent.context_providers = [*agent.context_providers, self._history]
        chosen = {"options": options} if options and isinstance(agent, RawAgent) else {}
        run: ResponseStream[AgentResponseUpdate, AgentResponse[Any]] = agent.run(
            self._messages,
            stream=True,
            session=self._session,
            function_invocation_kwargs=context.function_invocation_kwargs,
            **chosen,
        )
        return run

    def note(self, event: ThreadStreamEvent) -> None:
        """Remember what the agent says, in case it is not let finish."""
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(
            update := event.update, AssistantMessageContentPartTextDelta
        ):
            self._said.setdefault(event.item_id, []).append(update.delta)

    async def keep(self) -> None:
        """Store the session for the next turn."""
        await self._sessions.set(self.turn_id, self._session)

    async def keep_unfinished(self) -> None:
        """Store what was asked and said, so that the next turn knows of it."""
        if _keeps_history(self._agent) and not self._history.is_saved:
            said = [Message("assistant", ["".join(texts)]) for texts in self._said.values()]
            await self._history.save_messages(None, [*self._messages, *said])
        await self._sessions.set(self.turn_id, AgentSession.from_dict(self._start))


def _keeps_history(agent: SupportsAgentRun) -> bool:
    """Return whether an agent asks its context providers for earlier messages."""
    return isinstance(agent, (RawAgent, WorkflowAgent))


def _has_own_history(agent: Any) -> bool:
    return any(
        isinstance(provider, HistoryProvider) and provider.load_messages
        for provider in agent.context_providers
    )


async def _unread_items(
    store: SQLStore[TContext], thread_id: str, context: TContext
) -> list[ThreadItem]:
    """Return the items since the turn before the last, oldest first.

    A turn that died with its worker has no session; its message is still new to the agent.
    """
    sessions = store.sessions(thread_id, context)
    items: list[ThreadItem] = []
    after: str | None = None
    has_last = False
    while True:
        page = await store.load_thread_items(thread_id, after, PAGE_SIZE, "desc", context)
        for item in page.data:
            if isinstance(item, UserMessageItem):
                if has_last and await sessions.get(item.id) is not None:
                    return items[::-1]
                has_last = True
            items.append(item)
        if not page.has_more:
            return items[::-1]
        after = page.after


def _new_to_agent(recent: list[ThreadItem]) -> list[ThreadItem]:
    """Return the new user messages, after the hidden context that came since the last ones."""
    hidden = [
        item for item in recent if isinstance(item, (HiddenContextItem, SDKHiddenContextItem))
    ]
    return [*hidden, *(item for item in recent if isinstance(item, UserMessageItem))]


async def _answers(recent: list[ThreadItem], converter: ThreadItemConverter) -> list[Message]:
    """Return what the browser has answered; the agent knows that it asked."""
    completed = [
        item
        for item in recent
        if isinstance(item, ClientToolCallItem) and item.status == "completed"
    ]
    messages = await converter.to_agent_input(completed[-1:])
    return [message for message in messages if message.role == "tool"]
