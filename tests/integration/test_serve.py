"""`af-chatkit serve` as it is run: processes, sockets and a client that goes away."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..unit.chat_client import message
from .processes import PATIENCE, ROOT, environment


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where two workers serve an agent."""
    if request.param == "sqlite":
        store = f"sqlite:///{tmp_path}/chat.db"
    else:
        store = request.getfixturevalue("postgres").create_database()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("af-chatkit")), "serve"]
    command += ["tests.integration.counting_agent:helper", "--workers", "2"]
    command += ["--port", str(port), "--store", store]
    log = tmp_path / "log"
    with log.open("w") as output:
        serving = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while not is_healthy(address):
            assert serving.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"{address}/chatkit"
    finally:
        serving.terminate()
        serving.wait(PATIENCE)


def is_healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


class Client:
    """A browser that opens a connection for each request, so that any worker may answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.thread_id = ""

    def request(self, text: str) -> dict[str, Any]:
        if not self.thread_id:
            return {"type": "threads.create", "params": {"input": message(text)}}
        params = {"thread_id": self.thread_id, "input": message(text)}
        return {"type": "threads.add_user_message", "params": params}

    def post(self, request: dict[str, Any]) -> httpx.Response:
        with httpx.Client(trust_env=False, cookies=self.cookies, timeout=PATIENCE) as http:
            response = http.post(self.url, json=request).raise_for_status()
            self.cookies.update(http.cookies)
        return response

    def ask(self, text: str) -> str:
        answer = self.post(self.request(text)).text
        if not self.thread_id:
            self.find_thread()
        return answer

    def find_thread(self) -> None:
        threads = self.post({"type": "threads.list", "params": {}}).json()["data"]
        self.thread_id = threads[0]["id"]

    def said(self) -> list[str]:
        params = {"thread_id": self.thread_id, "order": "asc", "limit": 100}
        items = self.post({"type": "items.list", "params": params}).json()["data"]
        return ["".join(part["text"] for part in item.get("content", ())) for item in items]


def test_a_conversation_goes_on_whichever_worker_answers(url: str) -> None:
    client = Client(url)
    for number in range(6):
        assert f"I know {2 * number + 1} messages" in client.ask(f"Question {number}")
    assert len(client.said()) == 12
    stranger = Client(url)
    assert stranger.post({"type": "threads.list", "params": {}}).json()["data"] == []


def test_a_client_that_goes_away_stops_the_answer_and_keeps_it(url: str) -> None:
    client = Client(url)
    client.ask("Hello")
    with (
        httpx.Client(trust_env=False, cookies=client.cookies, timeout=PATIENCE) as http,
        http.stream("POST", url, json=client.request("Talk")) as response,
    ):
        text = ""
        for chunk in response.iter_text():
            text += chunk
            if "so on" in text:
                break
    deadline = time.monotonic() + PATIENCE
    while len(client.said()) < 4:
        assert time.monotonic() < deadline, client.said()
        time.sleep(0.1)
    assert client.said()[3].startswith("I know 3 messages. And so on. ")
    # Hello, its answer, Talk, what was said of it, that it was stopped, and this.
    assert "I know 6 messages" in client.ask("Go on")
