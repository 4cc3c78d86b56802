"""Workflows' requests, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from agent_framework import (
    AgentExecutor,
    Executor,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    response_handler,
)
from agent_framework_orchestrations import (
    MagenticBuilder,
    MagenticContext,
    MagenticManagerBase,
    MagenticProgressLedger,
    MagenticProgressLedgerItem,
    SequentialBuilder,
)
from pydantic import BaseModel, Field

from agent_framework_chatkit import client_tool

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, cards, click, output, reply
from ..chat_client import Browser, chat, of_type
from .shown import shown


class Color(Enum):
    RED = "red"
    DEEP_BLUE = 2


@dataclass
class Trip:
    city: str
    nights: int
    by_train: bool
    note: str | None = None


class Order(BaseModel):
    amount: int = Field(gt=0, description="How many?")
    color: Color = Color.RED


def asking(response_type: Any, question: Any = "Which?") -> Any:
    """Return a function that builds a workflow which asks a question and repeats the answer."""

    class Asking(Executor):
        @handler
        async def start(self, messages: list[Message], ctx: WorkflowContext[Any, str]) -> None:
            await ctx.request_info(question, response_type)

        @response_handler(request=type(question), response=response_type, workflow_output=str)
        async def answer(self, request: Any, response: Any, ctx: WorkflowContext[Any, str]) -> None:
            await ctx.yield_output(f"Got {_in_words(response)}")

    return lambda *_: WorkflowBuilder(start_executor=Asking("asking")).build()


def _in_words(response: Any) -> str:
    if isinstance(response, list) and response and isinstance(response[0], Message):
        return " and ".join(message.text for message in response)
    return response.text if isinstance(response, Message) else repr(response)


async def form(browser: Browser) -> dict[str, Any]:
    return (await browser.items())[-1]


def answers(form: dict[str, Any], *values: Any) -> dict[str, Any]:
    given = {}
    for each, value in zip(form["inputs"], values, strict=True):
        if value is not None:
            given[each["id"]] = {"values": value if isinstance(value, list) else [value]}
    return {"answers": given}


@pytest.mark.parametrize(
    ("response_type", "given", "got"),
    [
        (bool, ["Yes"], "True"),
        (bool, ["no"], "False"),
        (Color, ["Deep blue"], repr(Color.DEEP_BLUE)),
        (Literal["a", "b"], ["b"], "'b'"),
        (int, ["12"], "12"),
        (float, ["1.5"], "1.5"),
        (str, ["Anything"], "'Anything'"),
        (list[Literal["a", "b"]], [["a", "b"]], "['a', 'b']"),
        (dict[str, int], ['{"a": 1}'], "{'a': 1}"),
        (int | None, [None], "None"),
        (Trip, ["Oslo", "3", "Yes", None], repr(Trip("Oslo", 3, True))),
        (Order, ["2", None], repr(Order(amount=2))),
        (Order, ["2", "Deep blue"], repr(Order(amount=2, color=Color.DEEP_BLUE))),
    ],
    ids=str,
)
async def test_request_type_determines_form(
    response_type: Any, given: list[Any], got: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(asking(response_type), url) as browser:
        await browser.ask("Go")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    async with chat(asking(response_type), url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        asked = await form(browser)
        assert asked["inputs"][0]["question"].startswith("Which?")
        await reply(browser, asked, answers(asked, *given))
        assert (await browser.transcript())[-1] == ("assistant_message", f"Got {got}")


@pytest.mark.parametrize(
    ("response_type", "given", "problem"),
    [
        (int, ["many"], "integer"),
        (bool, ["maybe"], "choose one of Yes, No"),
        (int, [None], "The answer: enter an answer."),
        (dict[str, int], ["a"], "valid JSON"),
        (Trip, ["Oslo", "few", "Yes", None], "Nights"),
        (Trip, [None, "1", "Yes", None], "City: enter an answer"),
        (Order, ["0", None], "greater than 0"),
    ],
    ids=str,
)
async def test_answer_of_wrong_type_is_rejected(
    response_type: Any, given: list[Any], problem: str
) -> None:
    async with chat(asking(response_type)) as browser:
        await browser.ask("Go")
        asked = await form(browser)
        before = await browser.items()
        (notice,) = of_type(await reply(browser, asked, answers(asked, *given)), "notice")
        assert problem in notice.message
        assert await browser.items() == before


async def test_answer_that_cannot_reach_its_workflow_says_so() -> None:
    # The framework does not store the state of a workflow that is used as an agent.
    def outer(*_: Any) -> Any:
        inner = asking(bool)().as_agent(name="inner")
        return WorkflowBuilder(start_executor=AgentExecutor(inner)).build()

    async with chat(outer) as browser:
        await browser.ask("Go")
        asked = await form(browser)
        (notice,) = of_type(await reply(browser, asked, answers(asked, "Yes")), "notice")
        assert "Write a message instead" in notice.message
        await browser.ask("Wait")
        assert [item["status"] for item in await browser.items() if "status" in item] == [
            "skipped",
            "pending",
        ]


@pytest.mark.parametrize("response_type", [str, list[Message], Message])
async def test_next_message_answers_a_request_for_text(response_type: Any) -> None:
    async with chat(asking(response_type, "What is it about?")) as browser:
        await browser.ask("Go")
        events = await browser.ask("Whales")
        assert (await browser.transcript())[-1][1] in ("Got Whales", "Got 'Whales'")
        if response_type is str:
            (replaced,) = of_type(events, "thread.item.replaced")
            assert replaced.item.inputs[0].answer.values == ["Whales"]
        else:
            assert ("assistant_message", "What is it about?") in await browser.transcript()
        question = (await browser.items())[-2 if response_type is str else -1]
        assert question


async def test_unrelated_message_starts_over() -> None:
    async with chat(asking(bool)) as browser:
        await browser.ask("Go")
        old = await form(browser)
        await browser.ask("Wait")
        items = await browser.items()
        assert [item["status"] for item in items if item["type"] == "structured_input"] == [
            "skipped",
            "pending",
        ]
        response = await browser.post(
            "threads.add_structured_input",
            thread_id=browser.thread_id,
            item_id=old["id"],
            input=answers(old, "Yes"),
        )
        assert "answered already" in response.text
        await reply(browser, items[-1], answers(items[-1], "Yes"))
        assert (await browser.transcript())[-1] == ("assistant_message", "Got True")


async def test_agent_in_workflow_asks_for_approval(tmp_path: Path) -> None:
    bank = Bank()
    url = f"sqlite:///{tmp_path}/chat.db"

    def build(*messages: Any) -> Any:
        clerk = agent(*messages, name="clerk", tools=[bank.pay])
        return SequentialBuilder(participants=[clerk]).build()

    async with chat(build([call("pay", amount=5)]), url) as browser:
        await browser.ask("Pay 5")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    async with chat(build([text("Paid.")]), url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        (card,) = await cards(browser)
        await click(browser, card)
        assert bank.paid == [5]
        assert (await browser.transcript())[-1] == ("assistant_message", "Paid.")
        await click(browser, card)
        assert bank.paid == [5]


async def test_agent_in_workflow_calls_client_tools() -> None:
    @client_tool
    def locate() -> str:
        """Return where the user is."""
        raise AssertionError

    clerk: Any = agent(
        [call("locate", "c1", near="x"), call("locate", "c2")],
        [text("There.")],
        name="clerk",
        tools=[locate],
    )
    async with chat(WorkflowBuilder(start_executor=clerk)) as browser:
        await browser.ask("Where?")
        assert (await browser.items())[-1]["arguments"] == {"near": "x"}
        await output(browser, "Oslo")
        await output(browser, "Bergen")
        assert (await browser.transcript())[-1] == ("assistant_message", "There.")
    results = [part.result for each in clerk.client.asked[-1] for part in each.contents]
    assert results[-2:] == ['"Oslo"', '"Bergen"']


async def test_sequence_with_review() -> None:
    ann = agent([text("Draft")], [text("Shorter")], name="ann")
    bob = agent([text("Final")], name="bob")
    workflow = SequentialBuilder(participants=[ann, bob]).with_request_info(agents=[ann]).build()
    async with chat(workflow) as browser:
        await browser.ask("Write")
        first = await form(browser)
        assert "Draft" in first["inputs"][0]["question"]
        await reply(browser, first, answers(first, "Make it shorter"))
        second = await form(browser)
        assert "Shorter" in second["inputs"][0]["question"]
        await reply(browser, second, answers(second, None))
        assert (await browser.transcript())[-1] == ("assistant_message", "Final")


class Planner(MagenticManagerBase):
    """A manager without a model."""

    async def plan(self, magentic_context: MagenticContext) -> Message:
        return Message("assistant", [f"Plan {len(magentic_context.chat_history)}"])

    replan = plan

    async def create_progress_ledger(
        self, magentic_context: MagenticContext
    ) -> MagenticProgressLedger:
        is_done = any("Found" in message.text for message in magentic_context.chat_history)
        answers: list[Any] = [is_done, False, True, "ann", "Look for it"]
        return MagenticProgressLedger(*(MagenticProgressLedgerItem("", each) for each in answers))

    async def prepare_final_answer(self, magentic_context: MagenticContext) -> Message:
        return Message("assistant", ["It is here."])


async def test_magentic_plan_review() -> None:
    manager = Planner()
    ann = agent([text("Found it.")], name="ann")
    builder = MagenticBuilder(participants=[ann], manager=manager, enable_plan_review=True)
    async with chat(builder) as browser:
        await browser.ask("Find it")
        first = await form(browser)
        assert "Plan 1" in first["inputs"][0]["question"]
        await reply(browser, first, answers(first, "Shorter"))
        second = await form(browser)
        assert "Plan 2" in second["inputs"][0]["question"]
        await reply(browser, second, answers(second, None))
        texts = shown(await browser.items())
        assert ("steps", "Ann") in texts
        assert texts[-1] == ("assistant_message", "It is here.")
        await browser.ask("Again")
        assert "Plan 1" in (await form(browser))["inputs"][0]["question"]
