"""Traces, metrics and a log line for each turn: IDs, times and counts, never the texts.

The names are `chatkit.*`, or OpenTelemetry's own names for generative AI where they exist. Nothing
is recorded unless the app sets up OpenTelemetry, and data goes only where the app sends it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version

from agent_framework import UsageDetails
from opentelemetry import _logs, metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, Status, StatusCode

logger = logging.getLogger(__name__)

_NAME = "agent_framework_chatkit"
_VERSION = version("agent-framework-chatkit")

_tracer = trace.get_tracer(_NAME, _VERSION)
_meter = metrics.get_meter(_NAME, _VERSION)

# In seconds. OpenTelemetry's defaults are for milliseconds.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500)

_requests = _meter.create_histogram(
    "chatkit.request.duration",
    unit="s",
    description="Duration of requests, by type.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_turns = _meter.create_histogram(
    "chatkit.turn.duration",
    unit="s",
    description="Duration of the agent's turns.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_first_tokens = _meter.create_histogram(
    "chatkit.turn.time_to_first_token",
    unit="s",
    description="Time until the first text of a turn.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_tokens = _meter.create_counter(
    "chatkit.turn.tokens", unit="{token}", description="Tokens used by turns, by type."
)

_FLUSH = 5_000
"""Milliseconds that each of OpenTelemetry's providers has to send its last data."""


def flush() -> None:
    """Send the data that OpenTelemetry's SDK has collected and not sent yet.

    The SDK does this when Python exits. But a server such as uvicorn ends its process with the
    signal that it received.
    """
    providers = (
        trace.get_tracer_provider(),
        metrics.get_meter_provider(),
        _logs.get_logger_provider(),
    )
    for provider in providers:
        # Only the SDK's providers have this method.
        force_flush = getattr(provider, "force_flush", None)
        if force_flush is None:
            continue
        try:
            force_flush(_FLUSH)
        except Exception:
            logger.exception("The last telemetry data could not be sent.")


@contextmanager
def request_span(request_type: str, thread_id: str | None) -> Iterator[RecordedSpan]:
    """Trace and time the handling of one request.

    Args:
        request_type: The `type` of the `ChatKitReq`.
        thread_id: The ID of the thread, if the request names one.
    """
    kind = {"chatkit.request.type": request_type}
    thread = {"chatkit.thread.id": thread_id} if thread_id is not None else {}
    span = _tracer.start_span(f"chatkit {request_type}", attributes={**kind, **thread})
    with _measured(span, _requests, kind) as started_at:
        yield RecordedSpan(span, started_at)


class RecordedSpan:
    """The span of a request or a turn.

    It is only the current span within `current()`: a generator would leave it in its caller's
    context.
    """

    def __init__(self, span: Span, started_at: float) -> None:
        self._span = span
        self._started_at = started_at

    def current(self) -> AbstractContextManager[None]:
        """Make this the parent of spans that start within the block, which must not yield."""
        return _current(self._span)

    def note_first_text(self) -> None:
        """Record the time of the first text."""
        _first_tokens.record(time.perf_counter() - self._started_at)
        self._span.add_event("chatkit.first_token")


@contextmanager
def turn_span(thread_id: str, turn_id: str) -> Iterator[RecordedSpan]:
    """Trace, time and log one turn.

    Args:
        thread_id: The thread's ID.
        turn_id: The ID of the turn's user message.
    """
    ids = {"chatkit.thread.id": thread_id, "chatkit.turn.id": turn_id}
    span = _tracer.start_span("chatkit turn", attributes=ids)
    with _measured(span, _turns, {}, ids) as started_at:
        yield RecordedSpan(span, started_at)


def record_usage(usage: UsageDetails) -> None:
    """Add a run's tokens to the metric and to the current span."""
    span = trace.get_current_span()
    for kind, key in (("input", "input_token_count"), ("output", "output_token_count")):
        count = usage.get(key)
        if isinstance(count, int):
            span.set_attribute(f"gen_ai.usage.{kind}_tokens", count)
            _tokens.add(count, {"gen_ai.token.type": kind})


@contextmanager
def _current(span: Span) -> Iterator[None]:
    # An exception's message may contain text of the conversation.
    with trace.use_span(span, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def _measured(
    span: Span,
    duration: Histogram,
    attributes: Mapping[str, str],
    logged: Mapping[str, str] | None = None,
) -> Iterator[float]:
    """Record a block's outcome and duration, and end its span.

    Yields the time at which the block started.

    Args:
        span: The span.
        duration: Records the seconds.
        attributes: Attributes of the metric, which must have few distinct values.
        logged: Additional fields of the log record; without them, nothing is logged.
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
                    "Turn %s of thread %s: %s after %.3f s.",
                    logged["chatkit.turn.id"],
                    logged["chatkit.thread.id"],
                    outcome["chatkit.outcome"],
                    seconds,
                    extra=fields,
                )
        span.end()
