from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from agent_framework import Content, tool
from agent_framework.observability import disable_instrumentation, enable_instrumentation
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ..fakes.scripted_agent import agent, call, forever, text
from .chat_client import chat, message
from .docs.guide import ROOT

PRIVATE = "what only they know"


class Recorded:
    """The traces and metrics since the test started."""

    def __init__(self, spans: InMemorySpanExporter, reader: InMemoryMetricReader) -> None:
        self._spans = spans
        self._reader = reader

    def clear(self) -> None:
        self._spans.clear()
        self._reader.get_metrics_data()

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture(scope="module")
def _everything() -> Iterator[Recorded]:
    """Set up OpenTelemetry as an app does, once per process."""
    spans = InMemorySpanExporter()
    delta = AggregationTemporality.DELTA
    reader = InMemoryMetricReader({Counter: delta, Histogram: delta})
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider([reader]))
    enable_instrumentation()
    yield Recorded(spans, reader)
    disable_instrumentation()


@pytest.fixture
def recorded(_everything: Recorded) -> Recorded:
    _everything.clear()
    return _everything


@tool(approval_mode="never_require")
def look_up() -> str:
    """Look something up."""
    return PRIVATE


def usage() -> Content:
    return Content.from_usage({"input_token_count": 12, "output_token_count": 5})


async def test_turn_span_is_between_request_and_framework_spans(
    recorded: Recorded,
) -> None:
    helper = agent([call("look_up")], [text(PRIVATE), usage()], tools=[look_up], name="helper")
    async with chat(helper) as browser:
        await browser.ask(PRIVATE)
        items = await browser.items()
    request = recorded.span("chatkit threads.create")
    turn = recorded.span("chatkit turn")
    invoked = recorded.span("invoke_agent helper")
    assert request.parent is None
    assert turn.parent is not None
    assert turn.parent.span_id == request.context.span_id
    assert invoked.parent is not None
    assert invoked.parent.span_id == turn.context.span_id
    tool_span = recorded.span("execute_tool look_up")
    assert tool_span.context.trace_id == request.context.trace_id
    assert dict(turn.attributes or {}) == {
        "chatkit.thread.id": browser.thread_id,
        "chatkit.turn.id": items[0]["id"],
        "chatkit.outcome": "completed",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
    }
    assert [event.name for event in turn.events] == ["chatkit.first_token"]


async def test_times_and_tokens_are_measured(recorded: Recorded) -> None:
    async with chat(agent([text("Hi"), usage()])) as browser:
        await browser.ask("Hello")
    points = recorded.points()
    (request,) = points["chatkit.request.duration"]
    assert request.attributes == {
        "chatkit.request.type": "threads.create",
        "chatkit.outcome": "completed",
    }
    (turn,) = points["chatkit.turn.duration"]
    assert turn.attributes == {"chatkit.outcome": "completed"}
    assert turn.count == 1
    (first,) = points["chatkit.turn.time_to_first_token"]
    assert 0 < first.sum <= turn.sum
    tokens = {p.attributes["gen_ai.token.type"]: p.value for p in points["chatkit.turn.tokens"]}
    assert tokens == {"input": 12, "output": 5}


async def test_durations_are_measured_separately(recorded: Recorded) -> None:
    async with chat(agent([text("Hi")])) as browser:
        await browser.ask("Hello")
    points = recorded.points()
    for name in ("request.duration", "turn.duration", "turn.time_to_first_token"):
        (point,) = points[f"chatkit.{name}"]
        below_a_second = [bound for bound in point.explicit_bounds if bound < 1]
        assert len(below_a_second) > 3
        assert point.explicit_bounds[-1] >= 300


async def test_dashboard_uses_prometheus_metric_names(
    recorded: Recorded,
) -> None:
    async with chat(agent([text("Hi"), usage()], [ConnectionError()])) as browser:
        await browser.ask("Hello")
        await browser.ask("Hello")
    names: set[str] = set()
    labels: set[str] = set()
    for name, points in recorded.points().items():
        if not name.startswith("chatkit."):
            continue
        labels |= {label.replace(".", "_") for point in points for label in point.attributes}
        name = name.replace(".", "_")
        if hasattr(points[0], "bucket_counts"):
            names |= {f"{name}_seconds_bucket", f"{name}_seconds_count"}
        else:
            names.add(f"{name}_total")
    dashboard = json.loads((ROOT / "docs/dashboard.json").read_text())
    asked = [target for panel in dashboard["panels"] for target in panel["targets"]]
    queries = " ".join(target["expr"] for target in asked)
    used = set(re.findall(r"\bchatkit_\w+_(?:bucket|count|total)\b", queries))
    assert used <= names
    assert {name.rpartition("_")[0] for name in used} == {name.rpartition("_")[0] for name in names}
    grouped = ", ".join(re.findall(r"\bby \(([^)]*)\)", queries)).split(", ")
    assert set(grouped) - {"le"} <= labels
    assert set(re.findall(r"{(\w+)=", queries)) <= labels


async def test_failure_is_named_without_content(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "agent_framework_chatkit.telemetry")
    async with chat(agent([text("Well, "), ConnectionError(PRIVATE)])) as browser:
        await browser.ask(PRIVATE)
    turn = recorded.span("chatkit turn")
    assert not turn.status.is_ok
    assert (turn.attributes or {})["error.type"] == "ConnectionError"
    (point,) = recorded.points()["chatkit.turn.duration"]
    assert point.attributes == {"chatkit.outcome": "failed", "error.type": "ConnectionError"}
    ours = [span for span in recorded.spans if span.name.startswith("chatkit ")]
    assert PRIVATE not in "".join(span.to_json() for span in ours)
    (line,) = [each for each in caplog.records if each.name.endswith(".telemetry")]
    assert vars(line)["chatkit.outcome"] == "failed"
    assert vars(line)["chatkit.thread.id"] == browser.thread_id
    assert PRIVATE not in line.getMessage()


async def test_stopped_turn_is_not_a_failure(recorded: Recorded) -> None:
    async with chat(agent([text("Well, "), forever])) as browser:
        asking = asyncio.create_task(browser.post("threads.create", input=message("Hello")))
        while not recorded.points().get("chatkit.turn.time_to_first_token"):
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        while len(recorded.spans) < 3:
            await asyncio.sleep(0.01)
    turn = recorded.span("chatkit turn")
    assert turn.status.is_unset
    assert (turn.attributes or {})["chatkit.outcome"] == "cancelled"


async def test_rejected_request_is_measured_by_type(recorded: Recorded) -> None:
    async with chat(agent()) as browser:
        response = await browser.post("threads.get_by_id", thread_id="thr_nobody")
        assert response.status_code == 404
    (point,) = recorded.points()["chatkit.request.duration"]
    assert point.attributes == {
        "chatkit.request.type": "threads.get_by_id",
        "chatkit.outcome": "failed",
        "error.type": "NotFoundError",
    }
    span = recorded.span("chatkit threads.get_by_id")
    assert (span.attributes or {})["chatkit.thread.id"] == "thr_nobody"
    assert json.loads(span.to_json())["events"] == []


class FailingProcessor(SpanProcessor):
    """Cannot send its data until it is repaired."""

    is_broken = True

    def force_flush(self, timeout_millis: int = 0) -> bool:
        if self.is_broken:
            raise ConnectionError("No collector.")
        return True


async def test_last_data_is_sent_when_the_app_ends(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    sent = InMemorySpanExporter()
    provider.add_span_processor(BatchSpanProcessor(sent, schedule_delay_millis=3_600_000))
    failing = FailingProcessor()
    provider.add_span_processor(failing)
    chatting = chat(agent([text("Hi")]))
    async with chatting as browser, browser.app.router.lifespan_context(browser.app):
        await browser.ask("Hello")
        assert sent.get_finished_spans() == ()
    failing.is_broken = False
    assert "chatkit turn" in [span.name for span in sent.get_finished_spans()]
    assert "could not be sent" in caplog.text
