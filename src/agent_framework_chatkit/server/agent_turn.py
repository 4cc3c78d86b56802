"""An agent's part of a turn: its input, its run, and the messages and session to store."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic

from agent_framework import AgentResponseUpdate, AgentSession, Message, RawAgent
from chatkit.errors import CustomStreamError
from chatkit.types import ThreadItem
from typing_extensions import TypeVar

from ..bridge.context import ThreadContext
from ..bridge.response_writer import ResponseWriter
from ..bridge.streaming import close_stream
from ..bridge.thread_items import ThreadItemConverter
from ..interrupts.pause import Pause, release
from ..stores.sql.messages import dump_messages
from ..stores.sql.turn_rows import StoredMessages, StoredThread, UnreadItem
from ..workflows.runner import ThreadWorkflow, answer_with, is_message_wanted
from .acceptable import acceptable, calls_answered_by, fit_together
from .agents import TurnAgent
from .attached_files import AttachedFiles
from .exchange import Exchange
from .framework_agents import stream_agent
from .history import History
from .history_providers import OwnHistory, own_history
from .remembered import RememberedTurn, dump_session, earlier_attempts, remembered_of_workflow
from .service_failures import has_forgotten
from .turn_state import NOTES, OF_FINISH_REASON, UNCLEAN, TurnState
from .unread import answered, outputs_of, read_before_written, written

if TYPE_CHECKING:
    from .run import Run

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

_SERVICE = "agent_framework_chatkit_service"
"""The key in a session's state for the service that stores its conversation."""

CALL_CHANGED = (
    "The call differs from the one that was shown, so it was not made. Ask again for what you need."
)
"""Shown when the approved call is not the one that would run."""


class AnswerFailedError(Exception):
    """The model's service ended an answer before it was complete, without raising an error."""


class AgentTurn(Generic[TContext]):
    """One turn of an agent.

    Args:
        agent: The agent.
        context: The context that the agent's tools use to change the thread.
        turn_id: The turn's ID.
        stored: The thread's stored session, messages and unread items.
        history: The earlier messages.
        converter: Converts thread items to the agent's input.
        files: Reads the files of new messages.
        ended: The state in which the previous turn ended, if there was one.
        is_retry: Whether this turn replaces an earlier attempt, whose items were deleted.
        tried: The deleted messages of earlier attempts, as JSON.
    """

    def __init__(
        self,
        agent: TurnAgent,
        context: ThreadContext[TContext],
        turn_id: str,
        stored: StoredThread,
        history: History,
        converter: ThreadItemConverter,
        files: AttachedFiles,
        *,
        ended: str = "",
        is_retry: bool = False,
        tried: Sequence[str] = (),
    ) -> None:
        self._agent = agent
        self._context = context
        self.id = turn_id
        self._history = history
        self._is_after_cut = ended in NOTES
        self._note = NOTES.get(ended, "") or earlier_attempts(tried, context.thread.id)
        self._converter = converter
        self._files = files
        self._unread = stored.unread
        self._read_to = max((each.position for each in stored.unread), default=history.read.read_to)
        self._is_known = stored.session is not None
        self._session = (
            stored.session.session
            if stored.session is not None
            else agent.create_session(session_id=context.thread.id)
        )
        self.pause = Pause.of(self._session)
        """The pause in which the previous turn ended, if it did."""
        self._drop_foreign_conversation(is_retry)
        self._start = self._session.to_dict()
        """The session before the turn, kept in case the turn does not end cleanly."""
        self._resumed: Pause | None = None
        self.resumed_from: list[Message] = []
        """The user's message, if a workflow resumes: not all of its agents have received it."""
        self._writer: ResponseWriter | None = None
        own = own_history(agent)
        self._own = None if own is None else OwnHistory(own)
        self._missed = list(history.recent) if ended == "interrupted" else []
        self.exchange = Exchange(())
        self._is_complete = False
        self.is_resumed = False
        """Whether the turn resumes the paused previous turn."""

    def _drop_foreign_conversation(self, is_retry: bool) -> None:
        """Drop a conversation that belongs to another service or includes an earlier attempt."""
        service_id = self._session.service_session_id
        service = self._session.state.get(_SERVICE)
        # A response ID stands for the state before the earlier attempt; a conversation includes it.
        is_spoiled = is_retry and not str(service_id).startswith("resp_")
        if is_spoiled or (service is not None and service != _service_of(self._agent)):
            self._session.service_session_id = None

    # Input

    async def with_message(self) -> None:
        """Give the agent the user's new message.

        This withdraws the previous turn's open requests, unless the message answers them.
        """
        self._exclude_later_items()
        await self._begin(await self._new_messages(written))

    def _exclude_later_items(self) -> None:
        """Leave items added after this turn's message for the next message."""
        ids = [each.item.id for each in self._unread]
        if self.id in ids:
            self._unread = self._unread[: ids.index(self.id) + 1]
            self._read_to = self._unread[-1].position

    async def with_input(self, given: Sequence[Message]) -> None:
        """Give the agent input from code, such as an action's result.

        This withdraws the previous turn's open requests, unless the input answers them.
        """
        await self._begin([*await self._new_messages(written), *given])

    async def without_message(self) -> bool:
        """Continue the last turn.

        Returns:
            Whether there is anything to do. There is nothing to do if the thread is empty or the
            agent is still waiting for an answer.
        """
        pause = self.pause
        if pause is None:
            messages = await self._new_messages(answered)
            if not messages and not self._is_known:
                return False
            self._set_input(messages)
            return True
        if pause.is_open or pause.is_resumed:
            return False
        if not pause.matches_seal(self._context.pause.key):
            raise CustomStreamError(CALL_CHANGED)
        pause.is_resumed = True
        pause.read_answers(each.item for each in self._unread)
        self._resumed = pause
        # Items written in the meantime go with the next message: services expect the tool results
        # right after the calls.
        self._read_to = read_before_written(self._unread, self._history.read.read_to)
        self._set_input([] if isinstance(self._agent, ThreadWorkflow) else pause.answers())
        return True

    async def _begin(self, messages: list[Message]) -> None:
        pause = self.pause
        if pause is None:
            self._set_input(messages)
            return
        if isinstance(self._agent, ThreadWorkflow) and is_message_wanted(pause):
            answer_with(pause, "\n".join(message.text for message in messages))
            self._resumed = pause
            self._set_input(messages)
            return
        release(self._session)
        self._start = self._session.to_dict()
        if not isinstance(self._agent, ThreadWorkflow):
            pause.read_answers(each.item for each in self._unread)
            messages = [*pause.closing(), *pause.refusals(), *messages]
        self._set_input(messages)

    def _set_input(self, messages: list[Message]) -> None:
        """Set the agent's input, with a note on a turn that was cut short or deleted answers."""
        if self._note and self._resumed is None:
            if self._is_after_cut:
                # The service may not have the previous turn, or not know how it ended.
                self._session.service_session_id = None
                self._start = self._session.to_dict()
            noted = Message("user", [f"<HIDDEN_CONTEXT>{self._note}</HIDDEN_CONTEXT>"])
            # Before the newest message, which is not part of the previous turn.
            messages = [*messages[:-1], noted, *messages[-1:]]
        self.is_resumed = self._resumed is not None
        is_workflow = isinstance(self._agent, ThreadWorkflow)
        resumed = self._resumed or Pause()
        outputs = outputs_of(self._unread, self._converter) | (self.pause or Pause()).outputs()
        self._unread = []  # They may be large.
        self.exchange = Exchange(
            messages,
            resumed.calls if is_workflow else resumed.calls_to_make(),
            self._read_to,
            is_workflow=is_workflow,
            outputs=outputs,
            is_recorded=isinstance(self._agent, RawAgent),
        )
        for result in resumed.results_given() if is_workflow else ():
            self.exchange.end_call(str(result.call_id), result.result)

    async def _new_messages(
        self, select: Callable[[Sequence[UnreadItem]], list[ThreadItem]]
    ) -> list[Message]:
        unread = self._unread
        items = select(unread) if self._knows_thread else [each.item for each in unread]
        with self._files.available():
            return await self._converter.to_agent_input(items)

    @property
    def _knows_thread(self) -> bool:
        """Whether the agent already knows the items before the unread ones."""
        if self._history.read.count:
            return True
        return self._is_known and (
            self._own is not None or self._session.service_session_id is not None
        )

    # The run

    async def run(self, writer: ResponseWriter, options: dict[str, Any], run: Run | None) -> None:
        """Run the agent and write its updates.

        Args:
            writer: Writes the updates as items.
            options: The model and tool that the user chose.
            run: The run, whose writer may make the agent wait for the database.
        """
        if self._resumed is not None:
            await writer.resume(self._resumed)
        if self._own is not None and self._missed:
            await self._own.save_missed(self._session, self._missed)
        try:
            await self._run_once(writer, options, run)
        except Exception as error:
            if self._session.service_session_id is None or not has_forgotten(error):
                raise
            logger.warning(
                "The agent's service no longer knows the conversation of thread %r; starting a "
                "new one.",
                self._context.thread.id,
            )
            self._session.service_session_id = None
            await self._run_once(writer, options, run, again=True)
        if self.exchange.service_state in ("response.created", "response.failed"):
            raise AnswerFailedError("The service did not complete its response.")
        if run is not None:
            run.check_stop()  # The agent may have ignored a stop.
        has_items = run is not None and run.has_items
        await writer.finish(must_answer=not (has_items or self._context.client_tool_call))
        self._context.call_client_tool()
        self._is_complete = True

    async def _run_once(
        self,
        writer: ResponseWriter,
        options: dict[str, Any],
        run: Run | None,
        *,
        again: bool = False,
    ) -> None:
        updates = self._updates(options, again=again)
        try:
            async for update in updates:
                if run is not None:
                    run.check_stop()
                self.exchange.add(update)
                rest = writer.write(update)
                if rest is not None:
                    await rest
                if run is not None and (run.writer.is_full or _must_be_stored_first(update)):
                    await run.writer.checkpoint()
        except BaseException as error:
            await close_stream(updates, error)
            raise
        await close_stream(updates)

    def _updates(
        self, options: dict[str, Any], *, again: bool
    ) -> AsyncIterable[AgentResponseUpdate]:
        agent = self._agent
        inputs = self.exchange.inputs
        kwargs = self._context.function_invocation_kwargs
        if isinstance(agent, ThreadWorkflow):
            history, inputs = fit_together(self._earlier_messages(), inputs)
            if self._resumed is not None:
                asked = [message for message in history if message.role == "user"]
                self.resumed_from = asked[-1:]
            return agent.run(
                inputs,
                pause=self._context.pause,
                resumed=self._resumed,
                history=history,
                function_invocation_kwargs=kwargs,
            )
        session = self._session
        if again:
            exchanged = self.exchange.messages()
            history = acceptable([*self._earlier_messages(), *inputs, *exchanged])
            inputs = []
        elif session.service_session_id is not None or self._own is not None:
            # The service or the app's own history provides the earlier messages.
            history, inputs = fit_together([], inputs)
            if self._own is not None:
                # The app's history counts these.
                self.exchange.inputs = inputs
        else:
            history, inputs = fit_together(self._earlier_messages(), inputs)
        return stream_agent(agent, history, inputs, session, self._own, options, kwargs)

    def _earlier_messages(self) -> list[Message]:
        pending = calls_answered_by(self.exchange.inputs)
        if self._resumed is not None:
            pending |= {str(call.call_id) for call in self._resumed.calls}
        return self._history.messages(pending, is_resumed=self.is_resumed)

    # Results

    @property
    def state(self) -> TurnState:
        """The turn's state after the run."""
        if any(each.is_open for each in self._context.pause.interrupts):
            return "waiting"
        if self.exchange.is_refused:
            return "refused"
        return OF_FINISH_REASON.get(self.exchange.finish_reason or "", "completed")

    def resumed_session(self) -> tuple[str, str]:
        """Return the session to store before a resumed run, which marks the pause as over."""
        pause = self.pause or Pause()
        pause.store_in(self._session)
        return self.id, dump_session(self._session, self._context.thread.id)

    async def finish(self, state: TurnState) -> RememberedTurn:
        """Return the messages and session to store, given how the turn ended."""
        # A complete turn that showed an error failed for the user only.
        is_clean = state not in UNCLEAN or (state == "failed" and self._is_complete)
        pause = self._context.pause if is_clean else Pause()
        pending = [str(call.call_id) for call in pause.calls]
        exchanged = self.exchange.messages(pending)
        if isinstance(self._agent, ThreadWorkflow):
            is_whole = is_clean and not pause.interrupts
            exchanged = remembered_of_workflow(exchanged, is_whole=is_whole)
        if is_clean:
            session = self._session
            if session.service_session_id is not None:
                session.state[_SERVICE] = _service_of(self._agent)
        else:
            session = AgentSession.from_dict(self._start)
            session.service_session_id = None
            release(session)
            if self._own is not None:
                messages = [*self.exchange.inputs, *exchanged]
                await self._own.save_unclean(self._session, session, messages)
        pause.store_in(session)
        messages = [*self.exchange.inputs, *exchanged]
        row = StoredMessages(self.id, dump_messages(messages), self._read_to)
        # They may be large, and are not needed while the row is written.
        self.pause = self._resumed = None
        self.exchange.inputs = []
        del messages, exchanged
        asking = [] if is_clean else self._context.pause.interrupts
        return RememberedTurn(
            [row],
            (self.id, dump_session(session, self._context.thread.id)),
            [each.item_id for each in asking if each.item_id],
        )


def _must_be_stored_first(update: AgentResponseUpdate) -> bool:
    """Return whether an update must be stored before the run continues."""
    for content in update.contents or ():
        if getattr(content, "type", "") == "function_result":
            return True
    return False


def _service_of(agent: Any) -> str:
    """Return a name that identifies an agent's service."""
    client = type(getattr(agent, "client", None))
    return f"{client.__module__}.{client.__qualname__}"
