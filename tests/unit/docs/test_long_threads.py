"""A model's input in a long thread, with the framework's compaction."""

from __future__ import annotations

import pytest
from agent_framework import Agent, CompactionProvider, SlidingWindowStrategy

from ...fakes.scripted_agent import ScriptedClient, Step, call, look_up, text
from ..chat_client import chat
from .guide import blocks_of, run

TURNS = 40


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_MODEL", "none")


def answers(name: str) -> ScriptedClient:
    return ScriptedClient(*(turn(f"{name} {number}") for number in range(TURNS)))


def turn(said: str) -> list[Step]:
    return [text(said)]


def read(model: ScriptedClient) -> list[str]:
    """Return the texts in the last request to the model."""
    return [message.text for message in model.asked[-1] if message.role != "system"]


async def test_guides_window_keeps_last_messages() -> None:
    helper = run(blocks_of("docs/long-threads.md")[0])["helper"]
    helper.client = model = answers("Answer")
    async with chat(helper) as browser:
        for number in range(TURNS):
            await browser.ask(f"Question {number}")
        assert len(read(model)) == 20
        assert read(model)[-3:] == ["Question 38", "Answer 38", "Question 39"]
        assert len(await browser.transcript()) == 2 * TURNS


async def test_guides_summary_is_stored_and_extended() -> None:
    names = run(blocks_of("docs/long-threads.md")[1])
    helper, strategy = names["helper"], names["summaries"].after_strategy
    helper.client, strategy.client = answers("Answer"), answers("Summary")
    async with chat(helper) as browser:
        for number in range(TURNS):
            await browser.ask(f"Question {number}")
        summaries = [request[1].text for request in strategy.client.asked]
        assert "Question 0" in summaries[0]
        assert all("Summary" in each for each in summaries[1:])
        assert 1 < len(summaries) <= TURNS // 10
        shown = read(helper.client)
        assert shown[0] == f"Summary {len(summaries) - 1}"
        assert len(shown) <= 31
        assert len(await browser.transcript()) == 2 * TURNS


async def test_provider_compacts_the_servers_history() -> None:
    model = answers("Answer")
    window = CompactionProvider(before_strategy=SlidingWindowStrategy(keep_last_groups=2))
    async with chat(Agent(client=model, context_providers=[window])) as browser:
        for number in range(4):
            await browser.ask(f"Question {number}")
        assert read(model) == ["Question 2", "Answer 2", "Question 3"]


async def test_window_never_separates_call_from_result() -> None:
    model = ScriptedClient(
        [call("look_up", "c1", key="a")],
        [text("Found.")],
        *(turn(f"Answer {number}") for number in range(6)),
    )
    strategy = SlidingWindowStrategy(keep_last_groups=4)
    async with chat(Agent(client=model, tools=[look_up], compaction_strategy=strategy)) as browser:
        for number in range(6):
            await browser.ask(f"Question {number}")
    for messages in model.asked:
        kinds = [content.type for message in messages for content in message.contents]
        assert kinds.count("function_call") == kinds.count("function_result")
