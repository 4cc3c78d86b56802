"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .anthropic_rules import check_anthropic
from .endpoint import Endpoint, ModelInput, Refusal, Reply, Wire, sse

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


class _MessagesWire(Wire):
    def __init__(self, body: dict[str, Any], reply: Reply, number: int) -> None:
        super().__init__(body, reply, number)
        self._blocks = 0
        self._is_writing = False

    def _event(self, kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, **fields}, kind)

    def _start(self, **block: Any) -> bytes:
        self._blocks += 1
        return self._event("content_block_start", index=self._blocks - 1, content_block=block)

    def _delta(self, kind: str, **fields: Any) -> bytes:
        delta = {"type": f"{kind}_delta", **fields}
        return self._event("content_block_delta", index=self._blocks - 1, delta=delta)

    def _stop(self) -> bytes:
        return self._event("content_block_stop", index=self._blocks - 1)

    def begin(self) -> Iterator[bytes]:
        yield self._event(
            "message_start",
            message={
                "id": f"msg_{self.number}",
                "type": "message",
                "role": "assistant",
                "model": "claude",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": self.used[0], "output_tokens": 1},
            },
        )
        yield self._event("ping")

    def text(self, delta: str) -> Iterator[bytes]:
        if not self._is_writing:
            self._is_writing = True
            yield self._start(type="text", text="")
        yield self._delta("text", text=delta)

    def _end_text(self) -> Iterator[bytes]:
        if self._is_writing:
            self._is_writing = False
            yield self._stop()

    def begin_call(self, name: str) -> Iterator[bytes]:
        yield from self._end_text()
        call_id = f"toolu_{self.number}_{self.calls}"
        yield self._start(type="tool_use", id=call_id, name=name, input={})
        yield self._delta("input_json", partial_json="")

    def arguments(self, delta: str) -> Iterator[bytes]:
        yield self._delta("input_json", partial_json=delta)

    def end_call(self) -> Iterator[bytes]:
        yield self._stop()

    def begin_thought(self) -> Iterator[bytes]:
        yield from self._end_text()
        yield self._start(type="thinking", thinking="", signature="")

    def thought(self, delta: str) -> Iterator[bytes]:
        yield self._delta("thinking", thinking=delta)

    def end_thought(self) -> Iterator[bytes]:
        yield self._delta("signature", signature="signed")
        yield self._stop()

    def end(self) -> Iterator[bytes]:
        yield from self._end_text()
        reason = _STOP_REASONS.get(self.reply.finish, "refusal")
        if self.reply.has_call and reason == "end_turn":
            reason = "tool_use"
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield self._event("message_delta", delta=delta, usage={"output_tokens": self.used[1]})
        yield self._event("message_stop")

    def error(self) -> bytes:
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return self._event("error", error=error)


class Messages(Endpoint):
    """Anthropic's Messages API."""

    path = "/v1/messages"
    wire = _MessagesWire

    def refusal(self, body: dict[str, Any]) -> str | None:
        return check_anthropic(body)

    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        kind = "api_error" if refusal.status >= 500 else "invalid_request_error"
        error = {"type": kind, "message": refusal.reason}
        return {"type": "error", "error": error, "request_id": f"req_{len(self.requests)}"}

    def model_input(self, body: dict[str, Any]) -> ModelInput:
        given: ModelInput = [("system", body["system"])] if body.get("system") else []
        for message in body["messages"]:
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for block in blocks:
                if block["type"] == "text":
                    given.append((message["role"], block["text"]))
                elif block["type"] == "tool_use":
                    given.append(("call", block["name"]))
                elif block["type"] == "tool_result":
                    result = block["content"]
                    parts = [{"text": result}] if isinstance(result, str) else result
                    given.append(("result", "".join(part["text"] for part in parts)))
        return given
