"""The weather assistant as a user meets it."""

from __future__ import annotations

import io
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from agent_framework import Message
from PIL import Image
from samples.models import ChatModel, named_model
from samples.scripted import ScriptedClient
from samples.weather.forecast import (
    Forecasts,
)
from samples.weather.script import answer
from samples.weather.server import weather_app

from tests.unit.chat_client import Browser, of_type

from .processes import Service, run

SCRIPT = ChatModel("A script", ScriptedClient(answer, pace=0), is_script=True)


@pytest.fixture
async def person(tmp_path: Path) -> AsyncIterator[Browser]:
    app = await weather_app(SCRIPT, Forecasts(url=None), tmp_path)
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        yield browser
        await browser.http.aclose()


def said(events: list[Any]) -> str:
    """Return the text of the assistant's answers."""
    done = [event.item for event in of_type(events, "thread.item.done")]
    messages = [item for item in done if item.type == "assistant_message"]
    return "\n".join(part.text for item in messages for part in item.content)


def widgets(events: list[Any]) -> list[str]:
    """Return the shown cards as JSON."""
    done = [event.item for event in of_type(events, "thread.item.done")]
    return [item.widget.model_dump_json() for item in done if item.type == "widget"]


async def test_weather_card_fills_as_it_streams(person: Browser) -> None:
    events = await person.ask("What is the weather in Oslo?")
    [card] = widgets(events)
    for shown in (
        "Oslo",
        "Norway",
        "Humidity",
        "Wind",
        "Chart",
        "Made up, because there is no network",
    ):
        assert shown in card
    waiting = next(e.item for e in of_type(events, "thread.item.added") if e.item.type == "widget")
    assert "Looking at the sky" in waiting.widget.model_dump_json()
    assert "**Oslo**" in said(events)
    kinds = [item["type"] for item in await person.items()]
    assert kinds.index("workflow") < kinds.index("widget") < kinds.index("assistant_message")


async def test_conversation_is_remembered(person: Browser) -> None:
    await person.ask("What is the weather in Oslo?")
    assert "**Oslo**" in said(await person.ask("And the weather tomorrow?"))
    assert "Oslo" in said(await person.ask("What time is it there?"))


async def test_cities_are_compared(person: Browser) -> None:
    events = await person.ask("Compare Rome, Tokyo and Cairo")
    assert len(widgets(events)) == 3
    assert "is the warmest now" in said(events)


async def test_city_is_chosen(person: Browser) -> None:
    events = await person.ask("Which cities do you know?")
    [card] = widgets(events)
    assert "What is the weather in Athens?" in card
    assert "Choose one" in said(events)
    [item] = [item for item in await person.items() if item["type"] == "widget"]
    button = item["widget"]["children"][1]["children"][0]
    answered = await person.stream(
        "threads.custom_action",
        thread_id=person.thread_id,
        item_id=item["id"],
        action=button["onClickAction"],
    )
    assert button["label"] in widgets(answered)[0]
    assert f"**{button['label']}**" in said(answered)


@pytest.mark.parametrize(
    ("decision", "words"),
    [("approve", "Subscribed to alerts of rain in Paris"), ("decline", "no alerts")],
)
async def test_alerts_need_approval(person: Browser, decision: str, words: str) -> None:
    events = await person.ask("Alert me when it rains in Paris")
    assert "Shall I alert you" in said(events)
    item = (await person.items())[-1]
    card = item["widget"]
    action = {"approve": card["confirm"], "decline": card["cancel"]}[decision]["action"]
    answered = await person.stream(
        "threads.custom_action",
        thread_id=person.thread_id,
        item_id=item["id"],
        action={"type": action["type"], "payload": action["payload"]},
    )
    assert words in said(answered)


async def test_advice_depends_on_plans(person: Browser) -> None:
    await person.ask("What should I wear in London?")
    form = (await person.items())[-1]
    [question] = form["inputs"]
    assert [option["value"] for option in question["options"]] == ["Walk", "Cycle", "Sit outside"]
    events = await person.stream(
        "threads.add_structured_input",
        thread_id=person.thread_id,
        item_id=form["id"],
        input={"status": "answered", "answers": {question["id"]: {"values": ["Cycle"]}}},
    )
    assert said(events).startswith("To cycle, take ")
    assert "London" in widgets(events)[0]


@pytest.mark.parametrize(
    ("question", "tool", "result", "words"),
    [
        ("Where am I?", "get_location", {"city": "Berlin"}, "**Berlin**"),
        ("Where am I?", "get_location", {"error": "No idea"}, "does not tell me"),
        ("Use dark colors", "set_color_scheme", {"scheme": "dark"}, "dark now"),
    ],
)
async def test_client_tools_run_in_page(
    person: Browser, question: str, tool: str, result: dict[str, str], words: str
) -> None:
    await person.ask(question)
    call = (await person.items())[-1]
    assert (call["type"], call["name"]) == ("client_tool_call", tool)
    events = await person.stream(
        "threads.add_client_tool_output", thread_id=person.thread_id, result=result
    )
    assert words in said(events)


async def upload(person: Browser, name: str, content: bytes, kind: str) -> str:
    await person.get("threads.list")
    response = await person.http.post("/attachments", files={"file": (name, content, kind)})
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


async def test_picture_is_described(person: Browser) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (320, 200), (60, 120, 230)).save(picture, "PNG")
    attachment = await upload(person, "sky.png", picture.getvalue(), "image/png")
    events = await person.ask("What do you see?", attachments=[attachment])
    assert "320 by 200 pixels" in said(events)
    assert "mostly **blue**" in said(events)


async def test_file_is_read(person: Browser) -> None:
    attachment = await upload(person, "trip.txt", b"Monday: Rome\nTuesday: Vienna\n", "text/plain")
    events = await person.ask("How will it be?", attachments=[attachment])
    assert len(widgets(events)) == 2


async def test_script_introduces_itself(person: Browser) -> None:
    assert "not a language model" in said(await person.ask("Hello!"))
    about = (await person.http.get("/about.json")).json()
    assert about["isScript"] is True
    assert about["weather"] == "made up, because there is no network"
    page = await person.http.get("/")
    assert "openai-chatkit" in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    for name in ("weather.js", "weather.css"):
        assert (await person.http.get(f"/{name}")).status_code == 200
    assert (await person.http.get("/weather.py")).status_code == 404


async def test_script_answers_without_streaming() -> None:
    response = await SCRIPT.client.get_response([Message("user", ["Hello"])])
    assert "not a language model" in response.text


async def test_start_screen_says_weather_is_invented(
    tmp_path: Path,
) -> None:
    forecasts = Forecasts("http://127.0.0.1:9/forecast", "http://127.0.0.1:9/search")
    app = await weather_app(SCRIPT, forecasts, tmp_path)
    async with app.router.lifespan_context(app):
        browser = Browser(app)
        about = (await browser.http.get("/about.json")).json()
        await browser.http.aclose()
    assert about["weather"].startswith("made up")


OTHERS = ["MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "OLLAMA_MODEL"]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": "k"}, "gpt-5-mini"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "mine"}, "mine"),
        (
            {
                "AZURE_OPENAI_ENDPOINT": "https://mine.test",
                "AZURE_OPENAI_API_KEY": "k",
                "AZURE_OPENAI_MODEL": "deployed",
            },
            "deployed",
        ),
        ({"OLLAMA_MODEL": "qwen3"}, "qwen3"),
    ],
)
def test_environment_names_model(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str | None
) -> None:
    for variable in OTHERS:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    model = named_model()
    assert (model and model.name) == name


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"MODEL": "huge"}, "Unknown MODEL=huge"),
        ({"AZURE_OPENAI_ENDPOINT": "https://mine.test"}, "needs AZURE_OPENAI_API_KEY"),
    ],
)
def test_wrong_model_name_gives_one_line_error(variables: dict[str, str], words: str) -> None:
    result = run("weather", "--port", "0", **variables)
    assert result.returncode == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_stopped(by: signal.Signals, tmp_path: Path) -> None:
    with Service("weather", tmp_path / "log", "--folder", str(tmp_path), "--offline") as service:
        url = service.wait_for(r"http://127\.0\.0\.1:\d+/")
        assert httpx.get(f"{url}healthz", timeout=60).status_code == 200
        assert "A script answers instead of a model." in service.log
        assert service.stop(by) == 0
    assert service.log.endswith("\nStopped.\n")
    with socket.create_server(("127.0.0.1", urlsplit(url).port or 0)):
        pass


@pytest.mark.parametrize("stage", ["Loading", "Starting the model"])
def test_stop_during_startup(stage: str, tmp_path: Path) -> None:
    with Service("weather", tmp_path / "log", "--folder", str(tmp_path)) as service:
        service.wait_for(stage)
        # Python exits as interrupted if the signal arrives in code that a library runs as a string.
        assert service.stop(signal.SIGINT) in (0, -signal.SIGINT)
    assert service.log.endswith("\nStopped.\n")
    assert "Traceback" not in service.log


def test_small_model_answers_without_tools(tmp_path: Path) -> None:
    arguments = ("--folder", str(tmp_path), "--offline")
    with Service("weather", tmp_path / "log", *arguments, MODEL="local") as service:
        url = service.wait_for(r"http://127\.0\.0\.1:\d+/")
        body = {
            "type": "threads.create",
            "params": {
                "input": {
                    "content": [{"type": "input_text", "text": "Why is the sky blue?"}],
                    "attachments": [],
                    "inference_options": {},
                }
            },
        }
        answer = httpx.post(f"{url}chatkit", json=body, timeout=120).text
    assert "assistant_message.content_part.text_delta" in answer
    assert "SmolLM2-135M-Instruct answers." in service.log
