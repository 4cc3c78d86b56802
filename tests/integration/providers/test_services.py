"""The services with the framework's agents, without a chat."""

from __future__ import annotations

import pytest
from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message

from .chat import TEA, Desk
from .endpoint import CUT, ERROR, Reply, Thought, serve
from .services import CHAT, SERVICES, STRICT_CHAT, Service

with_each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)


@with_each_service
async def test_agent_calls_tool_and_remembers_it(service: Service) -> None:
    endpoint, desk = service.endpoint(), Desk()
    endpoint.script = [
        Reply([Thought(["They want ", "tea."]), "Let me ", "see.", TEA]),
        Reply(["It is ", "ordered."]),
    ]
    async with (
        serve(endpoint.app) as url,
        service.agent(endpoint, url, tools=[desk.tool], instructions="Take orders.") as agent,
    ):
        session = agent.create_session(session_id="1")
        updates = [update async for update in agent.run("Order tea", stream=True, session=session)]
        answer = await agent.run("And now?", stream=True, session=session).get_final_response()
    response: AgentResponse = AgentResponse.from_updates(updates)
    assert [message.role for message in response.messages] == ["assistant", "tool", "assistant"]
    assert [message.text for message in response.messages] == [
        "Let me see.",
        "",
        "It is ordered.",
    ]
    thoughts = [
        content.text
        for content in response.messages[0].contents
        if content.type == "text_reasoning"
    ]
    assert "".join(text or "" for text in thoughts) == ("They want tea." if shows(service) else "")
    assert answer.text == "All right."
    assert endpoint.refusals == []
    assert desk.orders == ["tea"]
    # Not in order: the client for Responses sends calls before the text that led to them.
    assert sorted(each for each in endpoint.last_input if each[0] != "system") == [
        ("assistant", "It is ordered."),
        ("assistant", "Let me see."),
        ("call", "place_order"),
        ("result", "Ordered tea."),
        ("user", "And now?"),
        ("user", "Order tea"),
    ]


def shows(service: Service) -> bool:
    """Return whether a service shows the model's thoughts."""
    return service not in (CHAT, STRICT_CHAT)


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(["Let ", ERROR]), Reply(["Let ", CUT])], ids=str
)
@with_each_service
async def test_agent_fails_with_its_service(service: Service, reply: Reply) -> None:
    endpoint = service.endpoint()
    endpoint.script = [reply]
    updates: list[AgentResponseUpdate] = []
    async with serve(endpoint.app) as url, service.agent(endpoint, url) as agent:
        with pytest.raises(Exception, match=r"error|Overloaded|terminated|closed"):
            async for update in agent.run("Hello", stream=True):
                updates.append(update)
    assert "".join(update.text for update in updates) == ("Let " if reply.parts else "")


@with_each_service
async def test_agent_error_has_reason_for_rejection(service: Service) -> None:
    endpoint = service.endpoint()
    orphan = Message("tool", [Content.from_function_result("a", result="Done.")])
    async with serve(endpoint.app) as url, service.agent(endpoint, url) as agent:
        with pytest.raises(Exception, match=r"call|tool") as raised:
            await agent.run([Message("user", ["Hello"]), orphan], stream=True).get_final_response()
    (refusal,) = endpoint.refusals
    assert refusal[:40] in str(raised.value)
