"""Where a turn starts: from which session, and with what is new to the agent."""

from __future__ import annotations

from typing import Any, Generic

from agent_framework import Message
from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageItem,
)
from typing_extensions import TypeVar

from ..bridge.thread_items import PAGE_SIZE, ThreadItemConverter, thread_to_agent_input
from ..interrupts.pause import Pause, release
from ..stores import SQLStore
from ..stores.sql.sessions import StoredSession
from ..workflows.runner import ThreadWorkflow, answer_with, is_message_wanted
from .turn import Turn, TurnAgent, keeps_history, reads_rows

TContext = TypeVar("TContext", default=Any)


class TurnStart(Generic[TContext]):
    """Begins a turn, or goes on with the last one.

    Args:
        agent: Who answers.
        store: Keeps the thread, its sessions and its messages.
        thread_id: The thread.
        context: The request's context.
        converter: What items become for the agent.
    """

    def __init__(
        self,
        agent: TurnAgent,
        store: SQLStore[TContext],
        thread_id: str,
        context: TContext,
        converter: ThreadItemConverter,
    ) -> None:
        self._agent = agent
        self._store = store
        self._sessions = store.sessions(thread_id, context)
        self._thread_id = thread_id
        self._context = context
        self._converter = converter

    async def with_message(self, message: UserMessageItem) -> Turn[TContext]:
        """Begin a turn with what a person has written.

        What the turn before still asks is not asked any more, unless this is the answer.
        """
        # What an earlier try at this turn has left must not be remembered twice.
        await self._store.delete_messages(self._thread_id, message.id, self._context)
        await self._sessions.delete(message.id)
        latest = await self._sessions.latest()
        messages = await self._new_messages(latest, is_answered=False)
        return await self._begin(message.id, latest, messages)

    async def with_input(self, given: list[Message], turn_id: str) -> Turn[TContext]:
        """Go on with the last turn, with what a person has done rather than written.

        What it still asks is not asked any more, unless this is the answer.

        Args:
            given: What the agent is told.
            turn_id: The id of the turn if there is none yet.
        """
        latest = await self._sessions.latest()
        if latest is not None:
            turn_id = latest.id
        elif asked := _user_messages(await self._unread_items()):
            turn_id = asked[-1].id
        before = [] if self._knows_thread(latest) else await self._whole_thread()
        return await self._begin(turn_id, latest, [*before, *given])

    async def without_message(self) -> Turn[TContext] | None:
        """Go on with the last turn.

        Returns:
            The turn, or `None` if there is nothing to do: nobody has said anything in the thread
            yet, or the agent waits for more.
        """
        latest = await self._sessions.latest()
        if latest is None:
            asked = _user_messages(await self._unread_items())
            if not asked:
                return None
            return self._turn(asked[-1].id, None, await self._new_messages(None, is_answered=True))
        pause = Pause.of(latest.session)
        if pause is None:
            messages = await self._new_messages(latest, is_answered=True)
            return self._turn(latest.id, latest, messages)
        if pause.is_open or pause.is_resumed:
            return None
        pause.is_resumed = True
        pause.keep_in(latest.session)
        # Before the run: whatever becomes of it, no answer is given to the agent twice.
        await self._sessions.set(latest.id, latest.session)
        messages = [] if isinstance(self._agent, ThreadWorkflow) else pause.answers()
        return self._turn(latest.id, latest, messages, resumed=pause)

    async def _begin(
        self, turn_id: str, latest: StoredSession | None, messages: list[Message]
    ) -> Turn[TContext]:
        """Begin a turn with what is new to the agent."""
        pause = None if latest is None else Pause.of(latest.session)
        is_answer = (
            pause is not None
            and isinstance(self._agent, ThreadWorkflow)
            and is_message_wanted(pause)
        )
        closing: list[Message] = []
        if latest is not None and pause is not None and not is_answer:
            closing = await self._close(latest, pause)
        if pause is not None and is_answer:
            answer_with(pause, "\n".join(message.text for message in messages))
        return self._turn(
            turn_id,
            latest,
            [*closing, *messages],
            resumed=pause if is_answer else None,
            withdrawn=pause,
        )

    def _turn(
        self,
        turn_id: str,
        latest: StoredSession | None,
        messages: list[Message],
        *,
        resumed: Pause | None = None,
        withdrawn: Pause | None = None,
    ) -> Turn[TContext]:
        session = None if latest is None else latest.session
        return Turn(
            self._agent,
            self._store,
            self._thread_id,
            turn_id,
            self._context,
            session or self._agent.create_session(session_id=self._thread_id),
            messages,
            resumed=resumed,
            withdrawn=withdrawn,
        )

    async def _close(self, latest: StoredSession, pause: Pause) -> list[Message]:
        """End a pause without an answer.

        Returns:
            What the agent is told with what comes next: nothing, if it reads it in the store.
        """
        release(latest.session)
        await self._sessions.set(latest.id, latest.session)
        if isinstance(self._agent, ThreadWorkflow) or not keeps_history(self._agent):
            return []
        closing = pause.closing()
        if not reads_rows(self._agent, latest.session):
            return [*closing, *pause.refusals()]
        if closing:
            await self._store.add_messages(self._thread_id, latest.id, closing, self._context)
        return pause.refusals()

    async def _new_messages(
        self, latest: StoredSession | None, *, is_answered: bool
    ) -> list[Message]:
        """Return what is new to the agent.

        Args:
            latest: The session that the agent goes on with.
            is_answered: Whether that is what the app has asked, rather than what a person wrote.
        """
        if not self._knows_thread(latest):
            return await self._whole_thread()
        recent = await self._unread_items()
        new = _answered(recent) if is_answered else _written(recent)
        return await self._converter.to_agent_input(new)

    def _knows_thread(self, latest: StoredSession | None) -> bool:
        """Return whether the agent remembers what came before what is new."""
        return latest is not None and (
            keeps_history(self._agent) or bool(latest.session.service_session_id)
        )

    async def _whole_thread(self) -> list[Message]:
        return await thread_to_agent_input(
            self._store, self._thread_id, self._context, converter=self._converter
        )

    async def _unread_items(self) -> list[ThreadItem]:
        """Return the items since the turn before the last, oldest first.

        A turn that died with its worker has no session; its message is still new to the agent.
        """
        items: list[ThreadItem] = []
        after: str | None = None
        has_last = False
        while True:
            page = await self._store.load_thread_items(
                self._thread_id, after, PAGE_SIZE, "desc", self._context
            )
            for item in page.data:
                if isinstance(item, UserMessageItem):
                    if has_last and await self._sessions.get(item.id) is not None:
                        return items[::-1]
                    has_last = True
                items.append(item)
            if not page.has_more:
                return items[::-1]
            after = page.after


def _user_messages(items: list[ThreadItem]) -> list[UserMessageItem]:
    return [item for item in items if isinstance(item, UserMessageItem)]


def _written(recent: list[ThreadItem]) -> list[ThreadItem]:
    """Return the new user messages, after the hidden context that came since the last ones."""
    hidden = [
        item for item in recent if isinstance(item, (HiddenContextItem, SDKHiddenContextItem))
    ]
    return [*hidden, *_user_messages(recent)]


def _answered(recent: list[ThreadItem]) -> list[ThreadItem]:
    """Return what was answered last to the app, which asked on its own."""
    answered: list[ThreadItem] = [
        item
        for item in recent
        if (isinstance(item, ClientToolCallItem) and item.status == "completed")
        or (isinstance(item, StructuredInputItem) and item.status != "pending")
    ]
    return answered[-1:]
