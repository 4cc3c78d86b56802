"""An agent's part of a turn: what it is told, how it is run, and what is remembered of it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from agent_framework import (
    AgentMiddlewareLayer,
    AgentResponseUpdate,
    AgentSession,
    CompactionProvider,
    Content,
    ContextProvider,
    FunctionInvocationContext,
    FunctionMiddleware,
    HistoryProvider,
    Message,
    RawAgent,
    SupportsAgentRun,
)
from chatkit.errors import CustomStreamError
from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageItem,
)
from typing_extensions import TypeVar

from ..bridge.context import AGENT_CONTEXT, AgentContext
from ..bridge.response_writer import ResponseWriter
from ..bridge.streaming import close_stream
from ..bridge.thread_items import ThreadItemConverter
from ..interrupts.calls import ToolDescription, describe_tool
from ..interrupts.client_tools import client_tool_names
from ..interrupts.pause import Pause, release
from ..stores.sql.messages import dump_messages, load_messages
from ..stores.sql.turn_rows import StoredMessages, StoredThread, UnreadItem
from ..text import without_markup
from ..workflows.runner import ThreadWorkflow, answer_with, conversation, is_message_wanted
from .exchange import Exchange
from .history import (
    History,
    HistoryCache,
    OwnHistory,
    ThreadHistory,
    acceptable,
    answered,
    is_approval,
    split_last_user,
)
from .service_failures import causes_of
from .turn_state import OF_FINISH_REASON, UNCLEAN, TurnState

if TYPE_CHECKING:
    from .run import Run
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

TurnAgent: TypeAlias = SupportsAgentRun | ThreadWorkflow
"""What can answer in a turn."""

_SERVICE = "agent_framework_chatkit_service"
"""The name, in a session's state, of the service that keeps its conversation."""

CALL_CHANGED = (
    "The call is not the one that was shown, so it was not made. Ask again for what you need."
)
"""What a person is told whose approval was of something else than what would run."""

_ENDED_UNCLEANLY = {
    "stopped": "The user cancelled the stream. Stop responding to the prior request.",
    "failed": "The previous answer failed before it was complete.",
    "interrupted": "The previous answer was interrupted before it was complete.",
    "timed_out": "The previous answer took too long and was stopped before it was complete.",
}
"""What an agent is told of how the turn before ended."""


class AnswerFailedError(Exception):
    """The model's service has ended an answer that is not complete, and raised nothing."""


@dataclass(frozen=True)
class RememberedTurn:
    """What is stored of what a run has exchanged, and what it has asked that is not."""

    messages: list[StoredMessages]
    session: tuple[str, str]
    forgotten: list[str]


class AgentTurn(Generic[TContext]):
    """One turn of an agent.

    Args:
        server: Whose agent it is.
        agent: Who answers.
        context: What the agent's tools may do to the thread.
        thread: The thread's key.
        turn_id: The turn.
        stored: What is stored of the thread.
        history: The messages before.
        ended: How the turn before ended, if there was one.
        converter: What items become for the agent.
        is_retry: Whether what came of an earlier try was deleted.
        tried: The messages of an earlier try that was cut short, as JSON.
    """

    def __init__(
        self,
        server: AgentChatKitServer[TContext],
        agent: TurnAgent,
        context: AgentContext[TContext],
        turn_id: str,
        stored: StoredThread,
        history: History,
        ended: str,
        converter: ThreadItemConverter,
        *,
        is_retry: bool = False,
        tried: Sequence[str] = (),
    ) -> None:
        self._agent = agent
        self._context = context
        self.id = turn_id
        self._history = history
        self._note = _ENDED_UNCLEANLY.get(ended, "") or _tried(tried, context.thread.id)
        self._converter = converter
        self._unread = stored.unread
        self._read_to = max((each.position for each in stored.unread), default=history.read.read_to)
        self._is_known = stored.session is not None
        self._session = (
            stored.session.session
            if stored.session is not None
            else agent.create_session(session_id=context.thread.id)
        )
        self.pause = Pause.of(self._session)
        """What the turn before is paused for."""
        self._leave_other_conversation(is_retry)
        self._start = self._session.to_dict()
        """The session as it was, for a turn that does not end well."""
        self._resumed: Pause | None = None
        self._writer: ResponseWriter | None = None
        own = _own_history(agent)
        self._own = None if own is None else OwnHistory(own)
        self.exchange = Exchange(())
        self.is_resumed = False
        """Whether it goes on where the turn before was paused."""

    def _leave_other_conversation(self, is_retry: bool) -> None:
        """Forget a service's conversation that is not the thread's, or not any more."""
        service_id = self._session.service_session_id
        kept_by = self._session.state.get(_SERVICE)
        # A response is what it was; a conversation holds the earlier try.
        is_spoiled = is_retry and not str(service_id).startswith("resp_")
        if is_spoiled or (kept_by is not None and kept_by != _service_of(self._agent)):
            self._session.service_session_id = None

    # What the agent is told

    async def with_message(self) -> None:
        """Tell the agent what a person has written.

        What the turn before still asks is not asked any more, unless this is the answer.
        """
        self._leave_later_items()
        await self._begin(await self._new_messages(_written))

    def _leave_later_items(self) -> None:
        """Leave for the next message what was added after the one that began the turn."""
        ids = [each.item.id for each in self._unread]
        if self.id in ids:
            self._unread = self._unread[: ids.index(self.id) + 1]
            self._read_to = self._unread[-1].position

    async def with_input(self, given: Sequence[Message]) -> None:
        """Tell the agent what a person has done rather than written.

        What the turn before still asks is not asked any more, unless this is the answer.
        """
        await self._begin([*await self._new_messages(_written), *given])

    async def without_message(self) -> bool:
        """Go on with the last turn.

        Returns:
            Whether there is anything to do. There is not if nobody has said anything in the
            thread, or if the agent waits for more.
        """
        pause = self.pause
        if pause is None:
            messages = await self._new_messages(_answered)
            if not messages and not self._is_known:
                return False
            self._tell(messages)
            return True
        if pause.is_open or pause.is_resumed:
            return False
        if not pause.is_as_shown(self._context.pause.key):
            raise CustomStreamError(CALL_CHANGED)
        pause.is_resumed = True
        self._resumed = pause
        # What was written meanwhile, and no turn has told, is told with the next message: services
        # want what tools return right after the calls.
        self._read_to = self._history.read.read_to
        self._tell([] if isinstance(self._agent, ThreadWorkflow) else pause.answers())
        return True

    async def _begin(self, messages: list[Message]) -> None:
        pause = self.pause
        if pause is None:
            self._tell(messages)
            return
        if isinstance(self._agent, ThreadWorkflow) and is_message_wanted(pause):
            answer_with(pause, "\n".join(message.text for message in messages))
            self._resumed = pause
            self._tell(messages)
            return
        release(self._session)
        self._start = self._session.to_dict()
        if isinstance(self._agent, ThreadWorkflow):
            self._tell(messages)
        else:
            self._tell([*pause.closing(), *pause.refusals(), *messages])

    def _tell(self, messages: list[Message]) -> None:
        """Note what the agent is told, in a form that every service accepts."""
        if self._note and self._resumed is None:
            # The service may not know how the turn before ended, or not have it at all.
            self._session.service_session_id = None
            self._start = self._session.to_dict()
            noted = Message("user", [f"<HIDDEN_CONTEXT>{self._note}</HIDDEN_CONTEXT>"])
            # Before the newest message, which is not a part of what has ended.
            messages = [*messages[:-1], noted, *messages[-1:]]
        self.is_resumed = self._resumed is not None
        calls = self._resumed.calls if self._resumed is not None else []
        self.exchange = Exchange(
            messages, calls, self._read_to, is_workflow=isinstance(self._agent, ThreadWorkflow)
        )

    async def _new_messages(
        self, select: Callable[[Sequence[UnreadItem]], list[ThreadItem]]
    ) -> list[Message]:
        unread = self._unread
        items = select(unread) if self._knows_thread else [each.item for each in unread]
        return await self._converter.to_agent_input(items)

    @property
    def _knows_thread(self) -> bool:
        """Whether the agent remembers what came before what is new."""
        if self._history.read.count:
            return True
        return self._is_known and (
            self._own is not None or self._session.service_session_id is not None
        )

    # The run

    async def run(
        self,
        emit_to: ResponseWriter,
        options: dict[str, Any],
        run: Run | None,
    ) -> None:
        """Run the agent, and write what it sends.

        Args:
            emit_to: Writes it as items.
            options: The model and tool that the person chose.
            run: What waits for the database before the next update is asked for.
        """
        if self._resumed is not None:
            await emit_to.resume(self._resumed)
        try:
            await self._run_once(emit_to, options, run)
        except Exception as error:
            if self._session.service_session_id is None or not _has_forgotten(error):
                raise
            logger.warning(
                "The agent's service does not know its conversation in thread %r any more; a new "
                "one is started.",
                self._context.thread.id,
            )
            self._session.service_session_id = None
            await self._run_once(emit_to, options, run, again=True)
        if self.exchange.service_state in ("response.created", "response.failed"):
            raise AnswerFailedError("The service did not complete its response.")
        await emit_to.finish()
        self._context.call_client_tool()

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
                self.exchange.add(update)
                rest = writer.write(update)
                if rest is not None:
                    await rest
                if run is not None and (run.is_full or _must_wait(update)):
                    await run.checkpoint()
        except BaseException as error:
            await close_stream(updates, error)
            raise
        await close_stream(updates)

    def _updates(
        self, options: dict[str, Any], *, again: bool
    ) -> AsyncIterable[AgentResponseUpdate]:
        agent = self._agent
        inputs = self.exchange.inputs
        pending = _answered_calls(inputs)
        if self._resumed is not None:
            pending |= {str(call.call_id) for call in self._resumed.calls}
        history = self._history.messages(pending, is_resumed=self.is_resumed)
        kwargs = self._context.function_invocation_kwargs
        if isinstance(agent, ThreadWorkflow):
            return agent.run(
                inputs,
                pause=self._context.pause,
                resumed=self._resumed,
                history=history,
                function_invocation_kwargs=kwargs,
            )
        session = self._session
        if again:
            history = acceptable([*history, *inputs, *self.exchange.messages()])
            inputs = []
        else:
            if session.service_session_id is not None or self._own is not None:
                # Others remember them.
                history = []
            history, inputs = _meeting(history, inputs)
        if not isinstance(agent, RawAgent):
            whole = inputs if session.service_session_id else [*history, *inputs]
            return agent.run(whole, stream=True, session=session, function_invocation_kwargs=kwargs)
        # A copy, since the agent answers in other threads at the same time.
        agent = copy(agent)
        if self._own is None:
            agent.context_providers = _with_history(agent.context_providers, history)
        else:
            agent.context_providers = [
                self._own if provider is self._own.provider else provider
                for provider in agent.context_providers
            ]
        run_options: dict[str, Any] = {"options": options} if options else {}
        if isinstance(agent, AgentMiddlewareLayer):
            run_options["middleware"] = [RECORDER]
        else:
            run_options["client_kwargs"] = {"middleware": [RECORDER]}
        return agent.run(
            inputs,
            stream=True,
            session=session,
            function_invocation_kwargs=kwargs,
            **run_options,
        )

    # What is remembered

    @property
    def state(self) -> TurnState:
        """How the turn stands, now that the run has ended."""
        if any(each.is_open for each in self._context.pause.interrupts):
            return "waiting"
        if self.exchange.is_refused:
            return "refused"
        return OF_FINISH_REASON.get(self.exchange.finish_reason or "", "completed")

    @property
    def has_new(self) -> bool:
        """Whether something was exchanged since `take_new` was called last."""
        return self.exchange.has_new

    def take_new(self) -> str | None:
        """Return as JSON what was exchanged since this was called last."""
        return self.exchange.take_new()

    def resumed_session(self) -> tuple[str, str]:
        """Return the session that says that the pause is over, to store before the run."""
        pause = self.pause or Pause()
        pause.keep_in(self._session)
        return self.id, dump_session(self._session, self._context.thread.id)

    async def finish(self, state: TurnState) -> RememberedTurn:
        """Return what to store, given how the turn has ended."""
        is_clean = state not in UNCLEAN
        pause = self._context.pause if is_clean else Pause()
        pending = [str(call.call_id) for call in pause.calls]
        exchanged = self.exchange.messages(pending)
        if isinstance(self._agent, ThreadWorkflow):
            exchanged = remembered_of_workflow(exchanged, is_clean=is_clean)
        if is_clean:
            session = self._session
            if session.service_session_id is not None:
                session.state[_SERVICE] = _service_of(self._agent)
        else:
            session = AgentSession.from_dict(self._start)
            session.service_session_id = None
            release(session)
            if self._own is not None:
                await self._tell_own_history(self._own, session, exchanged)
        pause.keep_in(session)
        messages = [*self.exchange.inputs, *exchanged]
        row = StoredMessages(self.id, dump_messages(messages), self._read_to)
        asking = [] if is_clean else self._context.pause.interrupts
        return RememberedTurn(
            [row],
            (self.id, dump_session(session, self._context.thread.id)),
            [each.item_id for each in asking if each.item_id],
        )

    async def _tell_own_history(
        self, own: OwnHistory, session: AgentSession, exchanged: list[Message]
    ) -> None:
        """Have an agent's own history know of a turn that did not end well."""
        name = own.source_id
        if name in self._session.state:
            session.state[name] = self._session.state[name]
        messages = [*self.exchange.inputs, *exchanged][own.saved :]
        try:
            await own.provider.save_messages(
                session.session_id,
                acceptable_input(messages),
                state=session.state.setdefault(name, {}),
            )
        except Exception:
            logger.exception(
                "The agent's own history does not know of a turn of thread %r.",
                self._context.thread.id,
            )


class _Recorder(FunctionMiddleware):
    """Has each call stored before its tool runs, and its result when the tool returns."""

    async def process(
        self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]
    ) -> None:
        agent_context = context.kwargs.get(AGENT_CONTEXT)
        call_id = context.metadata.get("call_id")
        recorder = agent_context.recorder if isinstance(agent_context, AgentContext) else None
        if recorder is None or not isinstance(call_id, str):
            await call_next()
            return
        await recorder.start_call(call_id)
        await call_next()
        recorder.end_call(call_id, context.result)


RECORDER = _Recorder()


class CallRecorder:
    """Notes what becomes of the calls of a run.

    Args:
        exchange: Where it is noted.
        checkpoint: Awaits that what is noted is stored.
    """

    def __init__(
        self, exchange: Exchange, checkpoint: Callable[[], Awaitable[None]] | None
    ) -> None:
        self._exchange = exchange
        self._checkpoint = checkpoint

    async def start_call(self, call_id: str) -> None:
        """Store that a tool is about to run."""
        self._exchange.start_call(call_id)
        if self._checkpoint is not None:
            await self._checkpoint()

    def end_call(self, call_id: str, result: Any) -> None:
        """Note what a tool has returned."""
        self._exchange.end_call(call_id, result)


def read_history(cache: HistoryCache, key: int, stored: StoredThread, thread_id: str) -> History:
    """Return a thread's history, with the rows that were read now.

    Args:
        cache: Knows the rows that were read before.
        key: The thread's key.
        stored: The rows that were read now.
        thread_id: The thread, for the log.
    """
    history = cache.get(key) if stored.is_continued else None
    history = history or History()
    for _, data in stored.messages:
        history.add(load_messages(data, thread_id))
        history.size += len(data)
    history.read = stored.read
    cache.put(key, history)
    return history


def dump_session(session: AgentSession, thread_id: str) -> str:
    """Return a session as JSON; what cannot be stored of its state is left out."""
    try:
        return json.dumps(session.to_dict())
    except (TypeError, ValueError):
        pass
    sound = AgentSession(
        session_id=session.session_id, service_session_id=session.service_session_id
    )
    for name, value in session.state.items():
        sound.state[name] = value
        try:
            json.dumps(sound.to_dict())
        except (TypeError, ValueError) as error:
            del sound.state[name]
            logger.error(
                "The state %r of the session of thread %r is not stored: %s. Keep JSON in it, or "
                "register its type with agent_framework.register_state_type.",
                name,
                thread_id,
                error,
            )
    return json.dumps(sound.to_dict())


def remembered_of_workflow(exchanged: Sequence[Message], *, is_clean: bool) -> list[Message]:
    """Return what is remembered of a workflow's run.

    Its agents' words are. If it was cut short, so are the tools that had been called, in words:
    the agents that go on need not have them.
    """
    said = conversation(exchanged)
    if is_clean:
        return said
    called = _called(exchanged)
    if called:
        text = "\n".join(["These tools had been called before that:", *called])
        said.append(Message("user", [f"<HIDDEN_CONTEXT>{text}</HIDDEN_CONTEXT>"]))
    return said


def _called(messages: Sequence[Message]) -> list[str]:
    """Return in words which tools were called and what they returned."""
    contents = [content for message in messages for content in message.contents]
    results = {each.call_id: each.result for each in contents if each.type == "function_result"}
    return [
        without_markup(f"{each.name}({each.arguments}): {results[each.call_id]}")
        for each in contents
        if each.type == "function_call" and each.call_id in results
    ]


def _tried(rows: Sequence[str], thread_id: str) -> str:
    """Return what an agent is told of an earlier try, if tools had been called in it."""
    called = _called([message for row in rows for message in load_messages(row, thread_id)])
    if not called:
        return ""
    lines = [
        "An earlier try at this answer was cut short. It had called these tools; do not call them "
        "again for the same purpose:",
        *called,
    ]
    return "\n".join(lines)


def describe_tool_of(agent: TurnAgent, name: str) -> ToolDescription | None:
    """Return what people are told of a tool of an agent."""
    if isinstance(agent, ThreadWorkflow):
        return agent.describe_tool(name)
    return describe_tool(agent, name)


def client_tools_of(agent: TurnAgent) -> set[str]:
    """Return the names of an agent's client tools."""
    return agent.client_tools if isinstance(agent, ThreadWorkflow) else client_tool_names(agent)


def _meeting(
    history: list[Message], inputs: Sequence[Message]
) -> tuple[list[Message], list[Message]]:
    """Return history and input so that strict services accept the one after the other."""
    first_user = next((i for i, each in enumerate(inputs) if each.role == "user"), 0)
    if history and first_user and inputs[0].role == "assistant":
        # What code has added to the thread in the agent's name.
        history, inputs = acceptable([*history, *inputs[:first_user]]), inputs[first_user:]
    unanswered: list[Content] = []
    if inputs and inputs[0].role != "tool":
        if any(message.role == "user" for message in inputs):
            history, unanswered = split_last_user(history)
        if not is_approval(inputs[0]):
            history = answered(history)
    before = [Message("user", unanswered)] if unanswered else []
    joined = [*before, *inputs]
    if history:
        joined = [_as_user(each) if each.role == "system" else each for each in joined]
    return history, acceptable_input(joined)


def acceptable_input(messages: Sequence[Message]) -> list[Message]:
    """Return new input as strict services accept it; it may begin with results of earlier calls."""
    first = next((i for i, each in enumerate(messages) if each.role != "tool"), len(messages))
    results, others = list(messages[:first]), messages[first:]
    if others and others[0].role == "user" and not is_approval(others[0]):
        results = answered(results)
    return [*results, *acceptable(others, is_resumed=True)]


def _as_user(message: Message) -> Message:
    changed = copy(message)
    changed.role = "user"
    return changed


def _answered_calls(inputs: Sequence[Message]) -> set[str]:
    """Return the ids of the calls that new input answers."""
    answered: set[str] = set()
    for content in (content for message in inputs for content in message.contents):
        if content.type == "function_result":
            answered.add(str(content.call_id))
        elif content.type == "function_approval_response" and content.function_call is not None:
            answered.add(str(content.function_call.call_id))
    return answered


def _must_wait(update: AgentResponseUpdate) -> bool:
    """Return whether what an update says must be stored before the run goes on."""
    contents = update.contents
    if len(contents) == 1:
        return contents[0].type == "function_result"
    return any(content.type == "function_result" for content in contents)


def _own_history(agent: Any) -> HistoryProvider | None:
    """Return the history that an agent was given by the app, if it was."""
    if not isinstance(agent, RawAgent):
        return None
    own = (
        provider
        for provider in agent.context_providers
        if isinstance(provider, HistoryProvider) and provider.load_messages
    )
    return next(own, None)


def _with_history(
    providers: Sequence[ContextProvider], history: list[Message]
) -> list[ContextProvider]:
    """Return an agent's context providers with the thread's history among them."""
    # A provider that compacts what is in the context needs the history to be there already.
    place = next(
        (i for i, each in enumerate(providers) if isinstance(each, CompactionProvider)),
        len(providers),
    )
    return [*providers[:place], ThreadHistory(history), *providers[place:]]


def _service_of(agent: Any) -> str:
    """Return what tells an agent's service from another that it may have later."""
    client = type(getattr(agent, "client", None))
    return f"{client.__module__}.{client.__qualname__}"


def _has_forgotten(error: BaseException) -> bool:
    """Return whether a service says that it does not know a conversation, or not as we do."""
    return any(
        getattr(each, "status_code", None) in (400, 404, 410, 422) for each in causes_of(error)
    )


def _is_written(unread: UnreadItem) -> bool:
    """Return whether a person has written an item, or code has added it for the agent."""
    kinds = (UserMessageItem, HiddenContextItem, SDKHiddenContextItem)
    return unread.is_news or isinstance(unread.item, kinds)


def _written(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    return [each.item for each in unread if _is_written(each)]


def _answered(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return what was answered last to the app, which asked on its own, and what was written."""
    answered = [
        each
        for each in unread
        if (isinstance(each.item, ClientToolCallItem) and each.item.status == "completed")
        or (isinstance(each.item, StructuredInputItem) and each.item.status != "pending")
    ]
    return [each.item for each in unread if _is_written(each) or each in answered[-1:]]
