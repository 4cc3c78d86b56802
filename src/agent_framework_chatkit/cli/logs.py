"""The log of `af-chatkit serve`: text lines or JSON lines."""

from __future__ import annotations

import logging
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter


class JSONLines(JsonFormatter):
    """Formats each record as a line of JSON, with the IDs of the current trace."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Add the record's fields and its trace."""
        super().add_fields(log_data, record, message_dict)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            log_data["trace_id"] = trace.format_trace_id(span.trace_id)
            log_data["span_id"] = trace.format_span_id(span.span_id)


def log_config(*, as_json: bool) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig`. As JSON, it logs each turn."""
    text = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    formatter, turns = ("json", "INFO") if as_json else ("text", "WARNING")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": text, "json": {"()": JSONLines}},
        "handlers": {"log": {"class": "logging.StreamHandler", "formatter": formatter}},
        "root": {"level": "WARNING", "handlers": ["log"]},
        "loggers": {"agent_framework_chatkit": {"level": turns}},
    }
