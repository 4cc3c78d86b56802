"""One turn of an agent in a thread: where it starts, and what is kept of it."""

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
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    UserMessageItem,
)
from typing_extensions import TypeVar

from .context import AgentContext
from .converter import PAGE_SIZE, ThreadItemConverter, thread_to_agent_input
from .history import ThreadHistory
from .interrupts import Pause, release
from .stores import SQLStore
from .stores.sessions import SQLSessionStore, StoredSession
from .streaming import close_stream
from .thread_workflow import ThreadWorkflow, answer_with, is_message_wanted

AnyAgent: TypeAlias = SupportsAgentRun | ThreadWorkflow
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
        agent: AnyAgent,
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

    @classmethod
    async def begin(
        cls,
        agent: AnyAgent,
        store: SQLStore[TContext],
        thread_id: str,
        user_message: UserMessageItem | None,
        context: TContext,
        converter: ThreadItemConverter,
    ) -> Turn[TContext] | None:
        """Begin a turn, or go on with the last one if there is no new message.

        Returns:
            The turn, or `None` if there is nothing to do: nobody has said anything in the thread
            yet, or the agent waits for more.
        """
        sessions = store.sessions(thread_id, context)
        if user_message is not None:
            # What an earlier try at this turn has left must not be remembered twice.
            await store.delete_messages(thread_id, user_message.id, context)
            await sessions.delete(user_message.id)
        latest = await sessions.latest()
        session = None if latest is None else latest.session
        pause = None if session is None else Pause.of(session)

        is_wanted = (
            user_message is not None
            and isinstance(agent, ThreadWorkflow)
            and pause is not None
            and is_message_wanted(pause)
        )
        if user_message is None and latest is not None and pause is not None:
            if pause.is_open or pause.is_resumed:
                return None
            pause.is_resumed = True
            pause.keep_in(latest.session)
            # Before the run: whatever becomes of it, no answer is given to the agent twice.
            await sessions.set(latest.id, latest.session)
            return cls(
                agent,
                store,
                thread_id,
                latest.id,
                context,
                latest.session,
                [] if isinstance(agent, ThreadWorkflow) else pause.answers(),
                resumed=pause,
            )

        if user_message is not None:
            turn_id = user_message.id
        elif latest is not None:
            turn_id = latest.id
        else:
            asked = _user_messages(await _unread_items(store, sessions, thread_id, context))
            if not asked:
                return None
            turn_id = asked[-1].id
        closing: list[Message] = []
        if latest is not None and pause is not None and not is_wanted:
            closing = await _close(agent, store, thread_id, latest, pause, context)
        if session is None or not (_keeps_history(agent) or session.service_session_id):
            messages = await thread_to_agent_input(store, thread_id, context, converter=converter)
        else:
            recent = await _unread_items(store, sessions, thread_id, context)
            new = _answers(recent) if user_message is None else _new_to_agent(recent)
            messages = await converter.to_agent_input(new)
        if is_wanted and pause is not None:
            answer_with(pause, "\n".join(message.text for message in messages))
        return cls(
            agent,
            store,
            thread_id,
            turn_id,
            context,
            session or agent.create_session(session_id=thread_id),
            [*closing, *messages],
            resumed=pause if is_wanted else None,
            withdrawn=pause,
        )

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
        if _keeps_history(agent) and not _has_own_history(agent):
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
        if _reads_rows(self._agent, session):
            release(session)
        else:
            pause.is_resumed = True
            pause.keep_in(session)
        if messages and _keeps_history(self._agent):
            await self._history.save_messages(None, messages)
        await self._sessions.set(self.turn_id, session)


def _keeps_history(agent: AnyAgent) -> bool:
    """Return whether an agent asks its context providers for earlier messages."""
    return isinstance(agent, (RawAgent, ThreadWorkflow))


def _reads_rows(agent: AnyAgent, session: AgentSession) -> bool:
    """Return whether an agent reads earlier messages from the store."""
    if isinstance(agent, ThreadWorkflow):
        return True
    is_ours = _keeps_history(agent) and not _has_own_history(agent)
    return is_ours and session.service_session_id is None


def _has_own_history(agent: Any) -> bool:
    return any(
        isinstance(provider, HistoryProvider) and provider.load_messages
        for provider in agent.context_providers
    )


async def _close(
    agent: AnyAgent,
    store: SQLStore[TContext],
    thread_id: str,
    latest: StoredSession,
    pause: Pause,
    context: TContext,
) -> list[Message]:
    """End a pause without an answer.

    Returns:
        What the agent is told with what comes next: nothing, if it reads it in the store.
    """
    release(latest.session)
    await store.sessions(thread_id, context).set(latest.id, latest.session)
    if isinstance(agent, ThreadWorkflow):
        return []
    closing = pause.closing()
    if _reads_rows(agent, latest.session):
        if closing:
            await store.add_messages(thread_id, latest.id, closing, context)
        closing = []
    return [*closing, *pause.refusals()] if _keeps_history(agent) else []


async def _unread_items(
    store: SQLStore[TContext], sessions: SQLSessionStore, thread_id: str, context: TContext
) -> list[ThreadItem]:
    """Return the items since the turn before the last, oldest first.

    A turn that died with its worker has no session; its message is still new to the agent.
    """
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


def _user_messages(items: list[ThreadItem]) -> list[UserMessageItem]:
    return [item for item in items if isinstance(item, UserMessageItem)]


def _new_to_agent(recent: list[ThreadItem]) -> list[ThreadItem]:
    """Return the new user messages, after the hidden context that came since the last ones."""
    hidden = [
        item for item in recent if isinstance(item, (HiddenContextItem, SDKHiddenContextItem))
    ]
    return [*hidden, *_user_messages(recent)]


def _answers(recent: list[ThreadItem]) -> list[ThreadItem]:
    """Return what a person or the browser has answered to the app, which the agent did not ask."""
    answered: list[ThreadItem] = [
        item
        for item in recent
        if (isinstance(item, ClientToolCallItem) and item.status == "completed")
        or (isinstance(item, StructuredInputItem) and item.status != "pending")
    ]
    return answered[-1:]


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
