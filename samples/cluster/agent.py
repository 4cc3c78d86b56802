"""The agent that many workers serve: `af-chatkit serve samples.cluster.agent:helper`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from agent_framework import Agent, Content

from samples.models import ChatModel, load_model
from samples.scripted import ScriptedClient, Turn


def answer(turn: Turn) -> Iterator[Content]:
    """Answer without a model: name the process, and quote the first message."""
    known = turn.earlier.splitlines()
    yield Content.from_text(f"Process {os.getpid()} answers. ")
    yield Content.from_text(f"You began with: {known[0]}" if known else "Ask me something else.")


model = load_model(lambda: ChatModel("A script", ScriptedClient(answer), is_script=True))
helper = Agent(client=model.client, name="helper", instructions="You help.")
