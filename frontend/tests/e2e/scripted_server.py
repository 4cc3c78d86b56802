"""The real server and store, with a model that does what the user's message names."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    FunctionInvocationContext,
    Message,
    tool,
)
from chatkit.types import (
    AudioInput,
    LockedStatus,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
)
from every_kind import Kinds, picture
from tests.fakes.models import FakeModel, results_of, update, user_text
from widget_actions import ACTIONS, show

from agent_framework_chatkit import (
    AgentChatKitServer,
    ThreadContext,
    ask_user,
    client_tool,
    create_app,
)
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

HOSTILE = """<script>parent.hacked = true</script>
<img src=x onerror="parent.hacked = true">
<style>body { display: none }</style>
<form action="https://evil.test"><input name=a></form>

[a link](javascript:parent.hacked=true) ![a picture](https://evil.test/tracker.png)
[a good link](https://example.com) **and more**
"""

RICH = Path(__file__).with_name("rich.md").read_text()
CITED = [
    ("on most days.", {"title": "Weather of Oslo", "url": "https://met.test/oslo"}),
    ("(https://port.test/a)", {"title": "Port log", "file_id": "log.pdf"}),
    ("go out anyway", {"title": "Weather of Oslo", "url": "https://met.test/oslo"}),
]
QUESTIONS = {
    "questions": [{"question": "When?", "options": ["Now", "Later"]}, {"question": "Why?"}]
}
CALLS = {
    "pay": ("transfer_money", {"recipient": "Kari", "amount": 120}),
    "ask": ("ask_user", QUESTIONS),
    "locate": ("locate", {}),
    "lock": ("lock", {}),
}


def annotations() -> list[Any]:
    cited = []
    for words, source in CITED:
        end = RICH.index(words) + len(words)
        region = {"type": "text_span", "start_index": 0, "end_index": end}
        cited.append({"type": "citation", "annotated_regions": [region], **source})
    return cited


class NamedModel(FakeModel):
    """Looks up the user's message among the names of its answers."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        async for content in self._contents(messages[-1], len(messages)):
            yield update(content, f"m{len(messages)}")

    async def _contents(self, last: Message, count: int) -> AsyncIterator[Content | str]:
        said = user_text(last)
        word = said.lower()
        if results := results_of([last]):
            yield f"The tool said: {results[0]}"
        elif word in CALLS:
            name, arguments = CALLS[word]
            yield Content.from_function_call(f"c{count}", name, arguments=json.dumps(arguments))
        elif word.startswith("show {"):
            arguments = json.dumps({"widget": said[5:]})
            yield Content.from_function_call(f"c{count}", "show", arguments=arguments)
        elif word == "fail":
            yield "Let me"
            raise RuntimeError("a secret")
        elif word == "talk":
            # Tests stop it, however slow their machine is.
            for number in range(10_000):
                yield f"Word {number}. "
                await asyncio.sleep(0.02)
        elif word == "read":
            yield Content.from_text(RICH, annotations=annotations())
        elif word.startswith("draw"):
            uri = "data:image/png;base64,AAAA" if "badly" in word else picture()
            yield Content.from_uri(uri, media_type="image/png")
        elif word == "attack":
            yield HOSTILE
        elif word == "think":
            yield Content.from_text_reasoning(text="Let me think about it.")
            yield "I thought."
        else:
            yield f"You said *{said}*, and I know {count}."
            files = sum(each.type == "data" for each in last.contents)
            if files:
                yield f" You sent {files} files."


class Server(AgentChatKitServer[Any]):
    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        message = input_user_message
        word = "".join(part.text for part in message.content) if message else ""
        kinds = Kinds(thread, message.id if message else "")
        scripts = {
            "everything": kinds.everything,
            "unfinished": kinds.unfinished,
            "questions": kinds.asking,
            "long": kinds.long,
        }
        script = scripts.get(word)
        events = super().respond(thread, message, context) if script is None else script()
        async for event in events:
            yield event

    async def transcribe(self, audio_input: AudioInput, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text=f"a {audio_input.media_type} recording")


@tool(approval_mode="always_require")
def transfer_money(recipient: str, amount: int) -> str:
    """Transfer money."""
    return f"{amount} sent to {recipient}"


@client_tool
def locate() -> dict[str, Any]:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


@tool
def lock(ctx: FunctionInvocationContext) -> str:
    """Let nobody write."""
    ThreadContext.of(ctx).thread.status = LockedStatus(reason="A colleague takes over.")
    return "Locked now"


port = int(sys.argv[1])
tools: Any = [transfer_money, ask_user, locate, lock, show]
agent = Agent(client=NamedModel(), tools=tools)
store = SQLStore[Any]("sqlite://")
attachments = AttachmentStore[Any](
    "memory://", metadata=store, secret="x" * 32, base_url=f"http://127.0.0.1:{port}"
)
server = Server(agent, store, attachments, models=["small", "large"], actions=ACTIONS)
app = create_app(server)
uvicorn.run(app, port=port, log_level="warning")
