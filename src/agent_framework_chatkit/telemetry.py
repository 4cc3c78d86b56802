"""Traces, metrics and a log line of each turn: ids, times and counts, never what was said.

The names are `chatkit.*`, and OpenTelemetry's own for generative AI where there is one. Nothing is
recorded unless the app sets up OpenTelemetry, and nothing is sent anywhere but where it says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import Protocol

from agent_framework import UsageDetails
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from opentelemetry import metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, Status, StatusCode

logger = logging.getLogger(__name__)

_NAME = "agent_framework_chatkit"
_VERSION = version("agent-framework-chatkit")

_tracer = trace.get_tracer(_NAME, _VERSION)
_meter = metrics.get_meter(_NAME, _VERSION)

# Seconds. The defaults of OpenTelemetry are for milliseconds.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500)

_requests = _meter.create_histogram(
    "chatkit.request.duration",
    unit="s",
    description="How long a request took, by its type.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_turns = _meter.create_histogram(
    "chatkit.turn.duration",
    unit="s",
    description="How long a turn of the agent took.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_first_tokens = _meter.create_histogram(
    "chatkit.turn.time_to_first_token",
    unit="s",
    description="How long it took until the first text of a turn.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_tokens = _meter.create_counter(
    "chatkit.turn.tokens", unit="{token}", description="Tokens that turns used, by their type."
)


@contextmanager
def request_span(request_type: str, thread_id: str | None) -> Iterator[RecordedSpan]:
    """Trace and time the handling of one request.

    Args:
        request_type: The `type` of the `ChatKitReq`.
        thread_id: The thread that it is about, if it names one.
    """
    kind = {"chatkit.request.type": request_type}
    thread = {"chatkit.thread.id": thread_id} if thread_id is not None else {}
    span = _tracer.start_span(f"chatkit {request_type}", attributes={**kind, **thread})
    with _measured(span, _requests, kind) as started_at:
        yield RecordedSpan(span, started_at)


class RecordedSpan:
    """The span of a request or a turn.

    It is not the current one all the time: a generator would leave it behind in its caller's
    context.
    """

    def __init__(self, span: Span, started_at: float) -> None:
        self._span = span
        self._started_at = started_at

    def current(self) -> AbstractContextManager[None]:
        """Make the span the parent of what begins within the block, which must not yield."""
        return _current(self._span)

    def until_first_text(
        self, emit: Callable[[ThreadStreamEvent], None], items: SendsEvents
    ) -> Callable[[ThreadStreamEvent], None]:
        """Return what items are to send events to, to have the first text of a turn timed.

        Args:
            emit: Takes the events; from the first text on, `items` send to it.
            items: What sends them.
        """

        def send(event: ThreadStreamEvent) -> None:
            if _is_text(event):
                _first_tokens.record(time.perf_counter() - self._started_at)
                self._span.add_event("chatkit.first_token")
                items.send = emit
            emit(event)

        return send


class SendsEvents(Protocol):
    """What writes a turn's items."""

    send: Callable[[ThreadStreamEvent], None]


@contextmanager
def turn_span(thread_id: str, turn_id: str) -> Iterator[RecordedSpan]:
    """Trace, time and log one turn.

    Args:
        thread_id: The thread.
        turn_id: The id of the turn's user message.
    """
    ids = {"chatkit.thread.id": thread_id, "chatkit.turn.id": turn_id}
    span = _tracer.start_span("chatkit turn", attributes=ids)
    with _measured(span, _turns, {}, ids) as started_at:
        yield RecordedSpan(span, started_at)


def record_usage(usage: UsageDetails) -> None:
    """Count the tokens of a run, in all and on the current span."""
    span = trace.get_current_span()
    for kind, key in (("input", "input_token_count"), ("output", "output_token_count")):
        count = usage.get(key)
        if isinstance(count, int):
            span.set_attribute(f"gen_ai.usage.{kind}_tokens", count)
            _tokens.add(count, {"gen_ai.token.type": kind})


def _is_text(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemUpdatedEvent) and isinstance(
        event.update, AssistantMessageContentPartTextDelta
    )


@contextmanager
def _current(span: Span) -> Iterator[None]:
    # What an exception says may hold what was said.
    with trace.use_span(span, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def _measured(
    span: Span,
    duration: Histogram,
    attributes: Mapping[str, str],
    logged: Mapping[str, str] | None = None,
) -> Iterator[float]:
    """End a span with how the block ended, and record how long it took.

    Yields when the block started.

    Args:
        span: The span.
        duration: Takes the seconds.
        attributes: Go with the seconds, and so have few values.
        logged: Goes to the log with all the rest.
    """
    started_at = time.perf_counter()
    outcome = {"chatkit.outcome": "completed"}
    try:
        yield started_at
    except (asyncio.CancelledError, GeneratorExit):
        outcome = {"chatkit.outcome": "cancelled"}
        raise
    except BaseException as error:
        cause = error.__cause__ or error
        outcome = {"chatkit.outcome": "failed", "error.type": type(cause).__qualname__}
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        seconds = time.perf_counter() - started_at
        duration.record(seconds, {**attributes, **outcome})
        span.set_attributes(outcome)
        if logged is not None:
            fields = {**logged, **outcome, "chatkit.duration": seconds}
            with _current(span):
                logger.info(
                    "The turn %s of thread %s is %s after %.3f s.",
                    logged["chatkit.turn.id"],
                    logged["chatkit.thread.id"],
                    outcome["chatkit.outcome"],
                    seconds,
                    extra=fields,
                )
        span.end()
