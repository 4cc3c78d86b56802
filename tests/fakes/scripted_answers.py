"""An agent whose answers follow from the question.

A question consists of words such as `say=40 seed=7 tool=3`; see `Script`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    Message,
    tool,
)
from starlette.applications import Starlette

from agent_framework_chatkit import AgentChatKitServer, Quotas, create_app
from agent_framework_chatkit.stores import SQLStore

from .models import FakeModel, update, user_text

WORDS = (
    *("the", "a", "river", "of", "light", "under", "stone", "and", "wind", "over"),
    *("every", "small", "house", "by", "night"),
    "naïve",
    "über",
    "日本語",
    "🙂",
    "👩‍👩‍👧",
    "e\u0301",
    "**bold**",
    '"quoted"',
    "back\\slash",
    "line\nbreak",
    "data: no\n\nid: 1.2\n",
)


@dataclass(frozen=True)
class Script:
    """The content and the pace of an answer.

    Attributes:
        say: The number of pieces of text.
        pause: Seconds between two pieces.
        seed: Selects the pieces.
        marked: 1 if the text starts with the seed, so that it differs from every other text.
        size: Characters per piece; a few by default.
        tool: The argument of the tool call before the text; no call if empty.
        hold: The number of pieces after which the answer waits for its `gate`.
        gate: The name of a file. The answer or its tool waits until the file exists.
        hang: 1 if the tool waits for the gate instead of the text.
        approve: 1 if the user must approve the tool call.
        timed: 1 if the model records the time of each piece, by the machine's monotonic clock.
    """

    say: int = 10
    pause: float = 0.0
    seed: int = 0
    marked: int = 0
    size: int = 0
    tool: str = ""
    hold: int = 0
    gate: str = ""
    hang: int = 0
    approve: int = 0
    timed: int = 0

    @classmethod
    def parse(cls, question: str) -> Script:
        default = cls()
        given = dict(word.split("=", 1) for word in question.split() if "=" in word)
        return replace(
            default,
            **{
                name: type(getattr(default, name))(value)
                for name, value in given.items()
                if hasattr(default, name)
            },
        )

    @property
    def question(self) -> str:
        default = asdict(Script())
        return " ".join(
            f"{name}={value}" for name, value in asdict(self).items() if value != default[name]
        )

    def pieces(self) -> Iterator[str]:
        chosen = random.Random(self.seed)  # noqa: S311 not for secrets
        for number in range(self.say):
            text = f"{number} {chosen.choice(WORDS)} "
            if self.marked and number == 0:
                text = f"Answer {self.seed}: {text}"
            yield text * (self.size // len(text) + 1) if self.size else text

    @property
    def text(self) -> str:
        """The text of the whole answer."""
        return "".join(self.pieces())

    @property
    def result(self) -> str:
        """The tool's result."""
        return f"looked up {self.tool}"


def gates() -> Path:
    return Path(os.environ["GATES"])


def times_of(folder: Path, script: Script) -> Path:
    """Return the file in which the model records the times of an answer's pieces."""
    return folder / f"times-{script.seed}"


async def wait_at(gate: str) -> None:
    while not (gates() / gate).exists():
        await asyncio.sleep(0.02)


@tool(approval_mode="never_require")
async def look_up(word: str, gate: str = "") -> str:
    with (gates() / "calls").open("a") as calls:
        calls.write(f"{word}\n")
    if gate:
        await wait_at(gate)
    return f"looked up {word}"


@tool(approval_mode="always_require")
async def look_up_once_approved(word: str, gate: str = "") -> str:
    return str(await look_up(word=word, gate=gate))


class ScriptedAnswers(FakeModel):
    def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterable[ChatResponseUpdate]:
        return _updates(messages)


async def _updates(messages: list[Message]) -> AsyncIterator[ChatResponseUpdate]:
    last = messages[-1]
    if _question(last).endswith("recall"):
        yield update(json.dumps([_summary(message) for message in messages]), "r")
        return
    asked = next(each for each in reversed(messages) if each.role == "user")
    script = Script.parse(_question(asked))
    if script.tool and last.role != "tool":
        arguments = {"word": script.tool, "gate": script.gate if script.hang else ""}
        name = "look_up_once_approved" if script.approve else "look_up"
        call = Content.from_function_call(
            f"call_{script.tool}", name, arguments=json.dumps(arguments)
        )
        yield update(call, "c")
        return
    said = 0
    try:
        for piece in script.pieces():
            if script.gate and not script.hang and said == script.hold:
                await wait_at(script.gate)
            if script.timed:
                with times_of(gates(), script).open("a") as times:
                    times.write(f"{time.monotonic()}\n")
            yield update(piece, "t")
            said += 1
            # Let other tasks run, as they do while a real model thinks.
            await asyncio.sleep(script.pause)
    finally:
        (gates() / f"said-{script.seed}").write_text(str(said))


def _question(message: Message) -> str:
    return user_text(message) if message.role == "user" else ""


def _summary(message: Message) -> list[Any]:
    """Return a message's role, and its texts, calls and results."""
    summary: list[Any] = [message.role]
    for content in message.contents:
        if content.type == "function_call":
            summary.append({"call": content.call_id})
        elif content.type == "function_result":
            summary.append({"result": str(content.result)})
        else:
            summary.append(content.text)
    return summary


helper = Agent(client=ScriptedAnswers(), tools=[look_up, look_up_once_approved])


class HastyServer(AgentChatKitServer[Any]):
    """A server whose grace period at shutdown is set by the test."""

    shutdown_grace = float(os.environ.get("GRACE", "20"))


def collect_garbage(*_: object) -> None:
    """Collect garbage, so that a test measures memory without it, and create a file afterwards."""
    gc.collect()
    (gates() / f"collected-{os.getpid()}").touch()


signal.signal(signal.SIGUSR1, collect_garbage)


def make_app() -> Starlette:
    """Return an app for plain uvicorn."""
    # The test's only visitor makes the requests of many.
    quotas = Quotas(**dict.fromkeys(Quotas.__dataclass_fields__))
    store = SQLStore[Any](os.environ["CHATKIT_STORE"], lease=float(os.environ["CHATKIT_LEASE"]))
    return create_app(HastyServer(helper, store, quotas=quotas))
