"""A help desk of three agents that hand over to one another: `python -m samples.handoff`.

The chat shows which agent is speaking. A refund always needs the user's approval.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from agent_framework import Agent, BaseChatClient, Content, tool
from agent_framework.orchestrations import HandoffBuilder
from starlette.applications import Starlette

from agent_framework_chatkit import AgentChatKitServer, RequestContext, create_app
from agent_framework_chatkit.stores import SQLStore
from samples.models import ChatModel, load_model
from samples.scripted import ScriptedClient, Turn, call
from samples.serving import serve


@tool(approval_mode="always_require")
def refund(invoice: str) -> str:
    """Refund an invoice."""
    return f"Invoice {invoice} is refunded."


def help_desk(front: ChatModel, billing: ChatModel, repairs: ChatModel) -> HandoffBuilder:
    """Return the workflow: the front desk, and the agents that it hands over to."""

    def agent(client: BaseChatClient[Any], name: str, instructions: str, *tools: Any) -> Agent[Any]:
        return Agent(
            client=client,
            name=name,
            instructions=instructions,
            tools=list(tools),
            require_per_service_call_history_persistence=True,
        )

    desk = agent(front.client, "front desk", "Hand over to whoever can help. Do not help yourself.")
    bills = agent(billing.client, "billing", "You deal with invoices, and may refund them.", refund)
    things = agent(repairs.client, "repairs", "You help with things that are broken.")
    return HandoffBuilder(participants=[desk, bills, things]).with_start_agent(desk)


def help_desk_app(workflow: HandoffBuilder, database: str = "sqlite:///handoff.db") -> Starlette:
    """Return the app."""
    page = {
        "header": {"title": {"text": "Help desk"}},
        "startScreen": {
            "greeting": "What went wrong?",
            "prompts": [
                {"label": "An invoice", "prompt": "My invoice is wrong"},
                {"label": "A broken thing", "prompt": "My kettle is broken"},
            ],
        },
    }
    return create_app(AgentChatKitServer(workflow, SQLStore[RequestContext](database)), page=page)


# Without a model, each of the three follows a script.


def at_the_front_desk(turn: Turn) -> Iterator[Content]:
    """Hand over to the agent for the user's topic."""
    if turn.says("invoice", "bill", "pay", "refund"):
        yield call("handoff_to_billing")
    elif turn.says("broken", "repair", "kettle"):
        yield call("handoff_to_repairs")
    else:
        yield Content.from_text("(A script answers.) Is it about an invoice or a broken item?")


def at_billing(turn: Turn) -> Iterator[Content]:
    """Ask for the invoice, then refund it."""
    outcome = turn.result("refund")
    number = next((word for word in turn.text.split() if word.isdigit()), None)
    if outcome is not None:
        is_done = "is refunded" in outcome
        yield Content.from_text(
            "Done. The invoice is refunded." if is_done else "Then I will not refund it."
        )
    elif number is not None:
        yield call("refund", invoice=number)
    else:
        yield Content.from_text("Billing here. What is the invoice number, for example 17?")


def at_repairs(turn: Turn) -> Iterator[Content]:
    """Give the only advice that ever helps."""
    yield Content.from_text("Repairs here. Have you turned it off and on again?")


def main() -> None:
    scripts = (at_the_front_desk, at_billing, at_repairs)
    models = [load_model(partial(ChatModel, "A script", ScriptedClient(each))) for each in scripts]
    serve(help_desk_app(help_desk(*models)))


if __name__ == "__main__":
    main()
