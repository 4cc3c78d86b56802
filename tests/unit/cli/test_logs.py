from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
from opentelemetry import trace

from agent_framework_chatkit.cli.logs import log_config


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Restore the logging for other tests."""
    root, ours = logging.getLogger(), logging.getLogger("agent_framework_chatkit")
    before = (root.level, list(root.handlers), ours.level)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    ours.setLevel(before[2])


def test_json_line_contains_record(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(log_config(as_json=True))
    context = trace.SpanContext(trace_id=1, span_id=2, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        logging.getLogger("agent_framework_chatkit.x").info("Done.", extra={"chatkit.turn.id": "1"})
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "agent_framework_chatkit.x",
        "message": "Done.",
        "chatkit.turn.id": "1",
        "trace_id": f"{1:032x}",
        "span_id": f"{2:016x}",
    }


def test_text_format_is_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.config.dictConfig(log_config(as_json=False))
    log = logging.getLogger("agent_framework_chatkit.x")
    log.info("A turn.")
    log.warning("Look here.")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING agent_framework_chatkit.x: Look here.")
