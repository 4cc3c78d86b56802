"""Random users, and an agent that makes all kinds of requests."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from itertools import count
from typing import Any

from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    Message,
    ToolApprovalMiddleware,
    tool,
)
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent_framework_chatkit import AgentChatKitServer, ask_user, client_tool, create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.models import FakeModel, update
from ...fakes.scripted_agent import check_calls
from ..chat_client import Browser, of_type


class Model(FakeModel):
    """A model that calls the planned tools, and checks its input."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[list[str]] = []
        """The steps of its next answers; afterwards it only writes text."""
        self.ids = count(1)
        self.hangs = asyncio.Event()
        self.problems: list[str] = []

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        try:
            check_calls(messages)
        except AssertionError as error:
            # The server would only report a failure to the user, and continue.
            self.problems.append(str(error))
        steps = self.plan.pop(0) if self.plan else ["talk"]
        message_id = f"m{next(self.ids)}"
        for step in steps:
            if step == "fail":
                raise RuntimeError("The model is down.")
            if step == "hang":
                self.hangs.set()
                await asyncio.Event().wait()
            yield update("Well. " if step == "talk" else self.call(step), message_id)

    def call(self, name: str) -> Content:
        number = next(self.ids)
        arguments: dict[str, Any] = {"pay": {"amount": number}, "slow_pay": {"amount": number}}.get(
            name, {}
        )
        if name == "ask_user":
            arguments = {"questions": [{"question": "Why?"}]}
        return Content.from_function_call(f"c{number}", name, arguments=json.dumps(arguments))


def is_pending(item: dict[str, Any]) -> bool:
    return bool(item["status"] == "pending")


@client_tool
def locate() -> str:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


ASKING = st.lists(
    st.sampled_from(["pay", "pay", "slow_pay", "locate", "ask_user", "look", "talk"]),
    min_size=1,
    max_size=3,
)
PLANS = st.lists(
    st.sampled_from([["talk"], ["talk", "fail"], ["fail"], ["look"], ["pay"]]), max_size=2
)


class People(RuleBasedStateMachine):
    """A user who asks, approves, declines, ignores, retries and cancels; the server restarts.

    A tool that requires approval runs exactly once for each approval of its exact arguments,
    and the thread can always continue.
    """

    @initialize(queues=st.booleans())
    def begin(self, queues: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.approved: set[int] = set()
        self.paid: Counter[int] = Counter()
        self.sent: list[dict[str, Any]] = []
        """The actions of clicked buttons."""
        self.begun = asyncio.Event()
        self.is_slow = False

        @tool(approval_mode="always_require")
        def pay(amount: int) -> str:
            """Pay an amount."""
            self.paid[amount] += 1
            return f"paid {amount}"

        @tool(approval_mode="always_require")
        async def slow_pay(amount: int) -> str:
            """Pay an amount."""
            self.paid[amount] += 1
            self.begun.set()
            if self.is_slow:
                await asyncio.Event().wait()
            return f"paid {amount}"

        @tool(approval_mode="never_require")
        def look() -> str:
            """Look."""
            return "seen"

        tools: Any = [pay, slow_pay, look, locate, ask_user]
        middleware = [ToolApprovalMiddleware()] if queues else []
        self.agent = Agent(client=self.model, tools=tools, middleware=middleware)
        self.cookies: Any = None
        self.thread_id = ""
        self.start()

    def start(self) -> None:
        self.store = SQLStore[Any](f"sqlite:///{self.folder.name}/chat.db")
        self.server = AgentChatKitServer(self.agent, self.store)
        self.browser = Browser(create_app(self.server), cookies=self.cookies)
        self.browser.thread_id = self.thread_id

    def stop(self) -> None:
        self.cookies, self.thread_id = self.browser.http.cookies, self.browser.thread_id
        self.run(self.browser.http.aclose())
        self.run(self.server.close())

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        result = self.loop.run_until_complete(coroutine)
        assert not self.model.problems, self.model.problems
        return result

    @invariant()
    def look_around(self) -> None:
        """Load the open requests."""
        if not hasattr(self, "loop"):
            return
        self.items = self.run(self.browser.items()) if self.browser.thread_id else []
        self.cards = self.of_type("widget")
        self.open_cards = [card for card in self.cards if "confirm" in card["widget"]]
        self.calls = [each for each in self.of_type("client_tool_call") if is_pending(each)]
        self.forms = [each for each in self.of_type("structured_input") if is_pending(each)]
        assert len(self.calls) <= 1
        assert all(number == 1 for number in self.paid.values()), self.paid
        assert set(self.paid) <= self.approved

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.items if item["type"] == kind]

    @rule(steps=ASKING, plan=PLANS)
    def ask(self, steps: list[str], plan: list[list[str]]) -> None:
        self.model.plan = [steps, *plan]
        self.run(self.browser.ask("Do it"))

    @rule()
    def restart(self) -> None:
        self.stop()
        self.start()

    @precondition(lambda self: self.browser.thread_id)
    @rule(data=st.data(), plan=PLANS)
    def retry(self, data: st.DataObject, plan: list[list[str]]) -> None:
        message = data.draw(st.sampled_from(self.of_type("user_message")))
        self.model.plan = plan
        self.run(
            self.browser.stream(
                "threads.retry_after_item",
                thread_id=self.browser.thread_id,
                item_id=message["id"],
            )
        )

    @precondition(lambda self: self.open_cards)
    @rule(data=st.data(), plan=PLANS)
    def approve(self, data: st.DataObject, plan: list[list[str]]) -> None:
        self.model.plan = plan
        events = self.run(self.click(data.draw(st.sampled_from(self.open_cards)), "confirm"))
        assert not of_type(events, "notice"), "An open card was refused."

    @precondition(lambda self: self.open_cards)
    @rule(plan=PLANS)
    def approve_everything(self, plan: list[list[str]]) -> None:
        self.model.plan = plan
        for card in self.open_cards:
            events = self.run(self.click(card, "confirm"))
            assert not of_type(events, "notice"), "An open card was refused."

    @precondition(lambda self: self.open_cards)
    @rule(data=st.data(), plan=PLANS)
    def decline(self, data: st.DataObject, plan: list[list[str]]) -> None:
        self.model.plan = plan
        events = self.run(self.click(data.draw(st.sampled_from(self.open_cards)), "cancel"))
        assert not of_type(events, "notice"), "An open card was refused."

    @precondition(lambda self: self.open_cards)
    @rule(data=st.data())
    def approve_and_stop(self, data: st.DataObject) -> None:
        """Approve, and stop the answer if its tool hangs."""
        self.model.plan = []
        self.is_slow = True
        self.begun.clear()
        card = data.draw(st.sampled_from(self.open_cards))
        self.run(self.stop_when(self.begun, self.click(card, "confirm")))
        self.is_slow = False

    def click(self, card: dict[str, Any], button: str) -> Coroutine[Any, Any, list[Any]]:
        if button == "confirm":
            self.approved.add(int(card["copy_text"].rpartition(" ")[2]))
        click = {"item_id": card["id"], "action": card["widget"][button]["action"]}
        self.sent.append(click)
        return self.send("threads.custom_action", **click)

    async def stop_when(self, event: asyncio.Event, stream: Coroutine[Any, Any, list[Any]]) -> None:
        """Stop an answer after a number of events."""
        answering = asyncio.ensure_future(stream)
        waiting = asyncio.ensure_future(event.wait())
        await asyncio.wait([answering, waiting], return_when=asyncio.FIRST_COMPLETED)
        for each in (answering, waiting):
            each.cancel()
        await asyncio.wait([answering, waiting])

    @precondition(lambda self: self.browser.thread_id)
    @rule(data=st.data())
    def forge(self, data: st.DataObject) -> None:
        """Send an unrequested or changed answer."""
        before = self.items
        item_ids = [item["id"] for item in before]
        payload = data.draw(
            st.fixed_dictionaries(
                {"approved": st.sampled_from([True, 1, "true"])},
                optional={
                    "request_id": st.sampled_from(["c1", "af-call-1", None]),
                    "arguments": st.just({"amount": 1_000_000}),
                    "always": st.just(True),
                },
            )
        )
        action = {
            "type": data.draw(st.sampled_from(["approval.answer", "consent.answer"])),
            "payload": payload,
        }
        item_id = data.draw(st.sampled_from(item_ids))
        response = self.run(
            self.browser.post(
                "threads.custom_action",
                thread_id=self.browser.thread_id,
                item_id=item_id,
                action=action,
            )
        )
        assert "notice" in response.text or "error" in response.text
        assert self.run(self.browser.items()) == before

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def click_again(self, data: st.DataObject) -> None:
        """Repeat a click, as an outdated tab might."""
        click = data.draw(st.sampled_from(self.sent))
        response = self.run(
            self.browser.post("threads.custom_action", thread_id=self.browser.thread_id, **click)
        )
        assert "notice" in response.text

    @precondition(lambda self: self.calls)
    @rule(
        plan=PLANS,
        output=st.sampled_from(["Oslo", None, {"error": "denied"}]),
    )
    def return_output(self, plan: list[list[str]], output: Any) -> None:
        self.model.plan = plan
        self.run(self.send("threads.add_client_tool_output", result=output))

    @precondition(lambda self: self.forms)
    @rule(plan=PLANS, data=st.data())
    def reply(self, plan: list[list[str]], data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(self.forms))
        self.model.plan = plan
        answer = {"values": ["Because"]} if data.draw(st.booleans()) else {"skipped": True}
        answers = {"answers": {form["inputs"][0]["id"]: answer}}
        events = self.run(
            self.send("threads.add_structured_input", item_id=form["id"], input=answers)
        )
        assert not of_type(events, "notice"), "An open form was refused."

    @rule()
    def ask_and_stop(self) -> None:
        if not self.browser.thread_id:
            self.run(self.browser.ask("Hello"))
        self.model.plan = [["talk", "hang"]]
        self.model.hangs.clear()
        self.run(self.stop_when(self.model.hangs, self.browser.ask("Talk")))

    def send(self, kind: str, **params: Any) -> Coroutine[Any, Any, list[Any]]:
        return self.browser.stream(kind, thread_id=self.browser.thread_id, **params)

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.model.plan = []
            events = self.run(self.browser.ask("Are you there?"))
            assert not of_type(events, "error")
            assert self.run(self.browser.transcript())[-1] == ("assistant_message", "Well. ")
        finally:
            self.stop()
            self.loop.close()
            self.folder.cleanup()


TestPeople = People.TestCase
TestPeople.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    # Shrinking a failing example takes too long.
    phases=[Phase.generate],
)
