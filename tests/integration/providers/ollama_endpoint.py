"""Ollama's chat, with a model whose chat template is strict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .endpoint import Endpoint, ModelInput, Refusal, Reply, Wire
from .ollama_rules import check_ollama


class _ChatWire(Wire):
    media_type = "application/x-ndjson"

    def __init__(self, body: dict[str, Any], reply: Reply, number: int) -> None:
        super().__init__(body, reply, number)
        self._name = ""
        self._arguments = ""

    def _line(self, message: dict[str, Any], **more: Any) -> bytes:
        line = {
            "model": "qwen3",
            "created_at": "2026-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": "", **message},
            "done": False,
            **more,
        }
        return json.dumps(line).encode() + b"\n"

    def begin(self) -> Iterator[bytes]:
        yield from ()

    def text(self, delta: str) -> Iterator[bytes]:
        yield self._line({"content": delta})

    def thought(self, delta: str) -> Iterator[bytes]:
        yield self._line({"thinking": delta})

    def begin_call(self, name: str) -> Iterator[bytes]:
        self._name, self._arguments = name, ""
        yield from ()

    def arguments(self, delta: str) -> Iterator[bytes]:
        self._arguments += delta
        yield from ()

    def end_call(self) -> Iterator[bytes]:
        # It sends only complete calls, and omits those that it cannot parse.
        try:
            arguments = json.loads(self._arguments)
        except ValueError:
            return
        yield self._line(
            {"tool_calls": [{"function": {"name": self._name, "arguments": arguments}}]}
        )

    def end(self) -> Iterator[bytes]:
        given, made = self.used
        reason = "length" if self.reply.finish == "length" else "stop"
        counts = {"prompt_eval_count": given, "eval_count": made}
        yield self._line({}, done=True, done_reason=reason, **counts)

    def error(self) -> bytes:
        return b'{"error":"llama runner process has terminated"}\n'


class OllamaChat(Endpoint):
    """Ollama's chat."""

    path = "/api/chat"
    wire = _ChatWire

    def refusal(self, body: dict[str, Any]) -> str | None:
        return check_ollama(body, strict_template=True)

    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        return {"error": refusal.reason}

    def model_input(self, body: dict[str, Any]) -> ModelInput:
        given: ModelInput = []
        for message in body["messages"]:
            role = "result" if message["role"] == "tool" else message["role"]
            if message.get("content") or role == "result":
                given.append((role, message["content"]))
            for call in message.get("tool_calls", ()):
                given.append(("call", call["function"]["name"]))
        return given
