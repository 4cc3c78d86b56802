"""`af-chatkit serve` with real processes and sockets, and their failures."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..postgres import PostgresServer
from ..unit.chat_client import message
from .processes import PATIENCE, ServerProcess, is_healthy, program, wait_for


class Serving(ServerProcess):
    """The command, which a test may start repeatedly at the same address."""

    def __init__(
        self,
        folder: Path,
        store: str,
        *options: str,
        agent: str = "counting_agent",
        before: tuple[str, ...] = (),
    ) -> None:
        self.payments = folder / "payments"
        serve = [program("af-chatkit"), "serve", f"tests.fakes.{agent}:helper", "--store", store]
        variables = {"CHATKIT_LEASE": "4", "PAYMENTS": str(self.payments)}
        super().__init__([*before, *serve, *options], folder / "log", **variables)

    def start(self) -> None:
        super().start()
        wait_for(lambda: self.is_healthy() or self.process.poll() is not None, self)
        assert self.process.poll() is None, self.log

    def is_healthy(self) -> bool:
        return is_healthy(self.address)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def serving(*arguments: Any, **options: Any) -> Iterator[Serving]:
    served = Serving(*arguments, **options)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chat.db"
    return str(request.getfixturevalue("postgres").create_database())


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Serving]:
    """Several workers on one machine."""
    options = ("--workers", "2", "--attachments", str(tmp_path / "files"))
    with serving(tmp_path, database, *options) as each:
        yield each


class Client:
    """A browser that opens a connection for each request, so that any worker may handle it."""

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

    @contextmanager
    def reading(self, text: str, until: str, times: int = 1) -> Iterator[None]:
        """Read an answer until a text arrived a number of times, and disconnect after the block."""
        with (
            httpx.Client(trust_env=False, cookies=self.cookies, timeout=PATIENCE) as http,
            http.stream("POST", self.url, json=self.request(text)) as response,
        ):
            # Without this reference to the iterator, the response would be closed.
            chunks = response.iter_text()
            seen = ""
            while seen.count(until) < times:
                seen += next(chunks)
            yield

    def upload(self, data: bytes) -> str:
        """Upload a file, and return its ID."""
        with httpx.Client(trust_env=False, cookies=self.cookies, timeout=PATIENCE) as http:
            url = self.url.replace("/chatkit", "/attachments")
            response = http.post(url, files={"file": ("a.txt", data, "text/plain")})
        return str(response.raise_for_status().json()["id"])

    def download(self, attachment_id: str) -> httpx.Response:
        with httpx.Client(trust_env=False, cookies=self.cookies, timeout=PATIENCE) as http:
            return http.get(self.url.replace("/chatkit", f"/attachments/{attachment_id}"))

    def ask_again_and_again(self, text: str) -> str:
        """Ask until the thread is free again after its worker died."""
        answer = ""

        def has_answer() -> bool:
            nonlocal answer
            answer = self.ask(text)
            return "I know" in answer

        wait_for(has_answer)
        return answer

    def items(self) -> list[dict[str, Any]]:
        params = {"thread_id": self.thread_id, "order": "asc", "limit": 100}
        items: list[dict[str, Any]] = self.post({"type": "items.list", "params": params}).json()[
            "data"
        ]
        return items

    def said(self) -> list[str]:
        return ["".join(part["text"] for part in item.get("content", ())) for item in self.items()]

    def clicks(self) -> list[dict[str, Any]]:
        """Return the actions of the Approve buttons."""
        return [
            {
                "type": "threads.custom_action",
                "params": {
                    "thread_id": self.thread_id,
                    "item_id": item["id"],
                    "action": item["widget"]["confirm"]["action"],
                },
            }
            for item in self.items()
            if item["type"] == "widget" and "confirm" in item["widget"]
        ]


def test_conversation_continues_on_any_worker(served: Serving) -> None:
    client = Client(served.url)
    client.ask("Question 0")
    file = client.upload(b"rows")
    for number in range(1, 8):
        assert f"I know {2 * number + 1} messages" in client.ask(f"Question {number}")
        assert client.download(file).content == b"rows"
        assert len(client.said()) == 2 * (number + 1)
    stranger = Client(served.url)
    assert stranger.post({"type": "threads.list", "params": {}}).json()["data"] == []
    assert stranger.download(file).status_code == 404


def test_disconnect_stops_and_stores_answer(served: Serving) -> None:
    client = Client(served.url)
    client.ask("Hello")
    with client.reading("Talk", until="so on"):
        pass
    wait_for(lambda: len(client.said()) == 4)
    assert client.said()[3].startswith("I know 3 messages. And so on. ")
    # "Hello", its answer, "Talk", the partial answer, and the note that it was stopped.
    assert "I know 5 messages" in client.ask("Go on")


def test_two_clients_race_on_one_thread(served: Serving) -> None:
    client = Client(served.url)
    client.ask("Hello")
    rival = Client(served.url)
    rival.cookies, rival.thread_id = client.cookies, client.thread_id
    answered = 1
    with ThreadPoolExecutor(2) as both:
        for _ in range(3):
            answers = list(both.map(lambda each: each.ask("Slowly"), (client, rival)))
            assert any("I know" in answer for answer in answers)
            for answer in answers:
                assert ("I know" in answer) != ("still being written" in answer)
            answered += sum("I know" in answer for answer in answers)
    said = client.said()
    assert len(said) == 2 * answered
    assert all(text == "Slowly" for text in said[2::2])
    assert all(text.endswith("Slowly. " * 20) for text in said[3::2])
    assert f"I know {2 * answered + 1} messages" in client.ask("Go on")


def test_killed_processes_lose_nothing(served: Serving) -> None:
    client = Client(served.url)
    client.ask("Hello")
    with client.reading("Talk", until="so on", times=100):
        served.kill()
    served.start()
    # A new request ends the dead workers' turns, and their streamed text is stored.
    wait_for(lambda: len(client.said()) == 4, served)
    said = client.said()
    assert said[:3] == ["Hello", "I know 1 messages. ", "Talk"]
    assert said[3].startswith("I know 3 messages. And so on. ")
    assert "I know 5 messages" in client.ask("Go on")
    assert client.said() == [*said, "Go on", "I know 5 messages. "]


def test_terminating_process_finishes_answer(served: Serving) -> None:
    client = Client(served.url)
    client.ask("Hello")
    with client.reading("Slowly", until="Slowly. "):
        assert served.stop() == 0
    assert "Traceback" not in served.log
    served.start()
    assert client.said()[3].startswith("I know 3 messages. Slowly. ")


def test_payment_is_approved_once_on_any_worker(database: str, tmp_path: Path) -> None:
    with serving(tmp_path, database, "--workers", "2", agent="asking_agent") as served:
        client = Client(served.url)
        client.ask("Pay")
        served.kill()
        served.start()
        (click,) = client.clicks()
        with ThreadPoolExecutor(8) as tabs:
            answers = list(tabs.map(lambda _: client.post(click).text, range(8)))
        assert served.payments.read_text() == "paid\n"
        assert sum("Results: ['paid']" in answer for answer in answers) == 1
        assert sum("notice" in answer for answer in answers) == 7
        assert client.clicks() == []
        assert "answered already" in client.post(click).text


def test_interrupted_payment_is_not_repeated(database: str, tmp_path: Path) -> None:
    with serving(tmp_path, database, agent="asking_agent") as served:
        client = Client(served.url)
        client.ask("Pay slowly")
        (click,) = client.clicks()
        with ThreadPoolExecutor(1) as tab:
            clicked = tab.submit(client.post, click)
            wait_for(served.payments.exists)
            served.kill()
            assert isinstance(clicked.exception(), httpx.TransportError)
        served.start()
        wait_for(lambda: "answered already" in client.post(click).text)
        assert "its effect is unknown" in client.ask("What happened?")
        assert served.payments.read_text() == "paid\n"


def test_database_restart(postgres: PostgresServer, tmp_path: Path) -> None:
    with serving(tmp_path, postgres.create_database()) as served:
        client = Client(served.url)
        client.ask("Hello")
        with client.reading("Talk", until="so on"):
            postgres.restart()
        wait_for(lambda: len(client.said()) == 4)
        postgres.stop()
        try:
            assert not served.is_healthy()
            with pytest.raises(httpx.HTTPStatusError, match="503"):
                client.ask("Is anyone there?")
        finally:
            postgres.start()
        assert "I know 5 messages" in client.ask("Go on")
        assert len(client.said()) == 6


def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    # The server's private disk, which disappears with it, and is visible outside through /proc.
    script = f'mount -t tmpfs -o size=2m tmpfs "{disk}" && exec "$@"'
    alone = ("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("A disk of our own cannot be mounted here.")
    with serving(tmp_path, f"sqlite:///{disk}/chat.db", before=alone) as served:
        client = Client(served.url)
        client.ask("Hello")
        ballast = Path(f"/proc/{served.process.pid}/root{disk}/ballast")
        with pytest.raises(OSError, match="No space left"), ballast.open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            client.ask("A long story. " * 60_000)
        assert client.said() == ["Hello", "I know 1 messages. "]
        ballast.unlink()
        assert "I know 3 messages" in client.ask_again_and_again("Go on")
        assert len(client.said()) == 4
