"""OpenAI's two services: Chat Completions, and Responses with its stored conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .endpoint import Endpoint, ModelInput, Refusal, Reply, Wire, sse
from .openai_rules import check_chat_completions, check_responses


def _error_body(refusal: Refusal) -> dict[str, Any]:
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"message": refusal.reason, "type": kind, "param": None, "code": refusal.code}
    return {"error": error}


# Chat Completions


class _ChatWire(Wire):
    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._event([choice])

    def _event(self, choices: list[Any], **more: Any) -> bytes:
        return sse(
            {
                "id": f"chatcmpl-{self.number}",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "gpt",
                "choices": choices,
                **more,
            }
        )

    def _call(self, **more: Any) -> bytes:
        return self._chunk({"tool_calls": [{"index": self.calls - 1, **more}]})

    def begin(self) -> Iterator[bytes]:
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})

    def text(self, delta: str) -> Iterator[bytes]:
        yield self._chunk({"refusal" if self.reply.finish == "refusal" else "content": delta})

    def begin_call(self, name: str) -> Iterator[bytes]:
        function = {"name": name, "arguments": ""}
        call_id = f"call_{self.number}_{self.calls}"
        yield self._call(id=call_id, type="function", function=function)

    def arguments(self, delta: str) -> Iterator[bytes]:
        yield self._call(function={"arguments": delta})

    def end_call(self) -> Iterator[bytes]:
        yield from ()

    def end(self) -> Iterator[bytes]:
        finish = self.reply.finish
        if finish in ("stop", "refusal"):
            finish = "stop"
        yield self._chunk({}, "tool_calls" if self.reply.has_call and finish == "stop" else finish)
        given, made = self.used
        if self.body.get("stream_options", {}).get("include_usage"):
            usage = {"prompt_tokens": given, "completion_tokens": made}
            yield self._event([], usage={**usage, "total_tokens": given + made})
        yield b"data: [DONE]\n\n"

    def error(self) -> bytes:
        return sse(_error_body(Refusal("The server had an error.", 500)))


class ChatCompletions(Endpoint):
    """OpenAI's Chat Completions, or a server that speaks it."""

    path = "/v1/chat/completions"
    wire = _ChatWire

    def __init__(self, *, strict_template: bool = False) -> None:
        super().__init__()
        self.strict_template = strict_template

    def refusal(self, body: dict[str, Any]) -> str | None:
        return check_chat_completions(body, strict_template=self.strict_template)

    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        return _error_body(refusal)

    def model_input(self, body: dict[str, Any]) -> ModelInput:
        given: ModelInput = []
        for message in body["messages"]:
            if message["role"] == "tool":
                given.append(("result", message["content"]))
                continue
            if content := message.get("content") or message.get("refusal"):
                parts = (
                    [content] if isinstance(content, str) else [each["text"] for each in content]
                )
                given.append((message["role"], "".join(parts)))
            for call in message.get("tool_calls", ()):
                given.append(("call", call["function"]["name"]))
        return given


# Responses


class _ResponsesWire(Wire):
    def __init__(
        self, body: dict[str, Any], reply: Reply, number: int, endpoint: Responses
    ) -> None:
        super().__init__(body, reply, number)
        self._endpoint = endpoint
        self._output: list[dict[str, Any]] = []
        self._events = 0
        self._is_writing = False
        """Whether the last item is an unfinished message."""

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._events += 1
        data = {"type": f"response.{kind}", "sequence_number": self._events, **fields}
        return sse(data, data["type"])

    def _item_event(self, kind: str, **fields: Any) -> bytes:
        """Write an event of the last item."""
        where = {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1}
        return self._event(kind, **where, **fields)

    def _response(self, status: str, **fields: Any) -> dict[str, Any]:
        conversation = self.body.get("conversation")
        return {
            "id": f"resp_{self.number}",
            "object": "response",
            "created_at": 1,
            "model": "gpt",
            "status": status,
            "output": self._output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "conversation": {"id": conversation} if conversation else None,
            **fields,
        }

    def _add(self, **item: Any) -> bytes:
        self._output.append(item)
        index = len(self._output) - 1
        return self._event("output_item.added", output_index=index, item={**item})

    def _done(self, **fields: Any) -> bytes:
        item = self._output[-1]
        item.update(fields)
        return self._event("output_item.done", output_index=len(self._output) - 1, item=item)

    def begin(self) -> Iterator[bytes]:
        yield self._event("created", response=self._response("in_progress"))
        yield self._event("in_progress", response=self._response("in_progress"))

    @property
    def _field(self) -> str:
        return "refusal" if self.reply.finish == "refusal" else "text"

    def _part(self, text: str) -> dict[str, Any]:
        if self._field == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def text(self, delta: str) -> Iterator[bytes]:
        if not self._is_writing:
            self._is_writing = True
            item_id = f"msg_{self.number}_{len(self._output)}"
            yield self._add(type="message", id=item_id, role="assistant", content=[])
            self._output[-1]["content"] = [self._part("")]
            yield self._item_event("content_part.added", content_index=0, part=self._part(""))
        self._output[-1]["content"][0][self._field] += delta
        kind = "refusal" if self._field == "refusal" else "output_text"
        yield self._item_event(f"{kind}.delta", content_index=0, delta=delta, logprobs=[])

    def _end_text(self, status: str = "completed") -> Iterator[bytes]:
        if not self._is_writing:
            return
        self._is_writing = False
        (part,) = self._output[-1]["content"]
        kind = "refusal" if self._field == "refusal" else "output_text"
        done = {self._field: part[self._field], "logprobs": []}
        yield self._item_event(f"{kind}.done", content_index=0, **done)
        yield self._item_event("content_part.done", content_index=0, part=part)
        yield self._done(status=status)

    def begin_call(self, name: str) -> Iterator[bytes]:
        yield from self._end_text()
        ids = {
            "id": f"fc_{self.number}_{self.calls}",
            "call_id": f"call_{self.number}_{self.calls}",
        }
        yield self._add(type="function_call", **ids, name=name, arguments="", status="in_progress")

    def arguments(self, delta: str) -> Iterator[bytes]:
        self._output[-1]["arguments"] += delta
        yield self._item_event("function_call_arguments.delta", delta=delta)

    def end_call(self) -> Iterator[bytes]:
        is_cut = self.reply.finish in ("length", "content_filter", "failed")
        if not is_cut:
            done = {"arguments": self._output[-1]["arguments"], "name": self._output[-1]["name"]}
            yield self._item_event("function_call_arguments.done", **done)
        yield self._done(status="incomplete" if is_cut else "completed")

    def begin_thought(self) -> Iterator[bytes]:
        yield from self._end_text()
        item_id = f"rs_{self.number}_{len(self._output)}"
        yield self._add(type="reasoning", id=item_id, summary=[])
        part = {"type": "summary_text", "text": ""}
        yield self._item_event("reasoning_summary_part.added", summary_index=0, part=part)
        self._output[-1]["summary"] = [part]

    def thought(self, delta: str) -> Iterator[bytes]:
        self._output[-1]["summary"][0]["text"] += delta
        yield self._item_event("reasoning_summary_text.delta", summary_index=0, delta=delta)

    def end_thought(self) -> Iterator[bytes]:
        (part,) = self._output[-1]["summary"]
        text = part["text"]
        yield self._item_event("reasoning_summary_text.done", summary_index=0, text=text)
        yield self._item_event("reasoning_summary_part.done", summary_index=0, part=part)
        is_asked = "reasoning.encrypted_content" in self.body.get("include", ())
        yield self._done(encrypted_content="secret" if is_asked else None)

    def end(self) -> Iterator[bytes]:
        finish = self.reply.finish
        given, made = self.used
        usage = {
            "input_tokens": given,
            "output_tokens": made,
            "total_tokens": given + made,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        if finish == "failed":
            error = {"code": "server_error", "message": "The server had an error."}
            yield self._event("failed", response=self._response("failed", error=error))
            return
        is_cut = finish in ("length", "content_filter")
        yield from self._end_text("incomplete" if is_cut else "completed")
        self._endpoint.store(self.body, f"resp_{self.number}", self._output)
        if not is_cut:
            yield self._event("completed", response=self._response("completed", usage=usage))
            return
        reason = "max_output_tokens" if finish == "length" else finish
        response = self._response("incomplete", usage=usage, incomplete_details={"reason": reason})
        yield self._event("incomplete", response=response)

    def error(self) -> bytes:
        data = {"code": "server_error", "message": "The server had an error.", "param": None}
        return sse({"type": "error", "sequence_number": self._events + 1, **data}, "error")


class Responses(Endpoint):
    """OpenAI's Responses, with the responses and conversations that it stores.

    It stores only complete answers, because clients cannot rely on anything else.
    """

    path = "/v1/responses"

    def __init__(self) -> None:
        super().__init__()
        self.responses: dict[str, list[dict[str, Any]]] = {}
        """The items of each stored response, after the previous items."""
        self.conversations: dict[str, list[dict[str, Any]]] = {}
        self._created = 0

    def create_conversation(self) -> str:
        self._created += 1
        self.conversations[f"conv_{self._created}"] = []
        return f"conv_{self._created}"

    def forget(self) -> None:
        """Delete everything stored."""
        self.responses.clear()
        self.conversations.clear()

    def spoil(self) -> None:
        """Add a call without a result to everything stored."""
        for chain in (*self.responses.values(), *self.conversations.values()):
            call = {"name": "place_order", "arguments": "{}", "call_id": "call_lost"}
            chain.append({"type": "function_call", "id": "fc_lost", **call})

    def store(self, body: dict[str, Any], response_id: str, output: list[dict[str, Any]]) -> None:
        # A continuation of something lost is lost too.
        if body.get("store") is False or self._lost(body) is not None:
            return
        items = [*self._chain(body), *_items(body), *output]
        self.responses[response_id] = items
        if conversation := body.get("conversation"):
            self.conversations[conversation] = [*items]

    def _chain(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        if conversation := body.get("conversation"):
            return self.conversations.get(conversation, [])
        return self.responses.get(body.get("previous_response_id", ""), [])

    def refusal(self, body: dict[str, Any]) -> Refusal | str | None:
        previous, conversation = body.get("previous_response_id"), body.get("conversation")
        if previous and conversation:
            return "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
        return self._lost(body) or check_responses(body, self._chain(body))

    def _lost(self, body: dict[str, Any]) -> Refusal | None:
        """Return the reason why a request cannot continue its conversation, or `None`."""
        previous, conversation = body.get("previous_response_id"), body.get("conversation")
        if previous and previous not in self.responses:
            reason = f"Previous response with id '{previous}' not found."
            return Refusal(reason, code="previous_response_not_found")
        if conversation and conversation not in self.conversations:
            return Refusal(f"Conversation with id '{conversation}' not found.", 404)
        return None

    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        return _error_body(refusal)

    def new_wire(self, body: dict[str, Any], reply: Reply) -> Wire:
        return _ResponsesWire(body, reply, self.answers, self)

    def model_input(self, body: dict[str, Any]) -> ModelInput:
        given: ModelInput = [("system", body["instructions"])] if body.get("instructions") else []
        for item in [*self._chain(body), *_items(body)]:
            if item["type"] == "function_call":
                given.append(("call", item["name"]))
            elif item["type"] == "function_call_output":
                output = item["output"]
                given.append(("result", output if isinstance(output, str) else str(output)))
            elif item["type"] == "message":
                content = item["content"]
                parts = [{"text": content}] if isinstance(content, str) else content
                text = "".join(part.get("text") or part.get("refusal", "") for part in parts)
                given.append((item["role"], text))
        return given


def _items(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "message", **item} for item in body["input"]]
