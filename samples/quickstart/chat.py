"""Chat with a ChatKit server from a terminal.

Run `python -m samples.quickstart.chat "Why is the sky blue?"` for a single answer, or omit the
question to have a conversation.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx

DEFAULT_URL = "http://127.0.0.1:8000/chatkit"
CONTROL_CHARACTERS = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")


class ChatError(Exception):
    """The server did not answer. The text is one line for the user."""


class Chat:
    """One thread on a ChatKit server.

    Args:
        url: The URL of the server's ChatKit endpoint.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.thread_id: str | None = None

    def ask(self, text: str) -> None:
        """Send a message and print the answer as it streams.

        Raises:
            ChatError: If there is no answer, or only a part of one.
        """
        answer = Answer()
        try:
            for event in self._send(text):
                if event["type"] == "thread.created":
                    self.thread_id = event["thread"]["id"]
                answer.show(event)
        finally:
            answer.end_line()
        if answer.error is not None:
            raise ChatError(answer.error)

    def _send(self, text: str) -> Iterator[dict[str, Any]]:
        """Send a message and yield the events of the answer."""
        message = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": {},
        }
        if self.thread_id is None:
            request = {"type": "threads.create", "params": {"input": message}}
        else:
            params = {"thread_id": self.thread_id, "input": message}
            request = {"type": "threads.add_user_message", "params": params}
        # An answer may take long. A proxy from the environment could not reach a server on this
        # machine.
        timeout = httpx.Timeout(None, connect=10)
        try:
            with httpx.stream(
                "POST", self.url, json=request, timeout=timeout, trust_env=False
            ) as response:
                kind = response.headers.get("content-type", "")
                if not response.is_success or not kind.startswith("text/event-stream"):
                    raise ChatError(
                        f"{self.url} is not a ChatKit endpoint: "
                        f"HTTP {response.status_code}, {kind}."
                    )
                yield from read_events(response)
        except httpx.ConnectError as error:
            raise ChatError(f"Cannot connect to {self.url}: {error}. Start the server.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChatError(f"The answer from {self.url} is incomplete: {error}.") from error


def read_events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield the events of a stream of server-sent events."""
    # `response.iter_lines()` would also split at characters such as U+2028, which an answer may
    # contain.
    rest = b""
    for chunk in response.iter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))


class Answer:
    """Prints one answer, event by event."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        """The printed text of each message, by item ID."""
        self._notes: set[tuple[str, int, str]] = set()
        """The printed notes of each task, by item ID and index."""
        self._is_in_line = False
        self.error: str | None = None
        """The server's error message, if there was an error."""

    def show(self, event: dict[str, Any]) -> None:
        """Print an event for the user."""
        match event:
            case {
                "type": "thread.item.updated",
                "item_id": item_id,
                "update": {"type": "assistant_message.content_part.text_delta", "delta": delta},
            }:
                self._written[item_id] = self._written.get(item_id, "") + delta
                self._write(delta)
            case {
                "type": "thread.item.updated",
                "item_id": item_id,
                "update": {
                    "type": "workflow.task.added" | "workflow.task.updated",
                    "task_index": index,
                    "task": task,
                },
            }:
                self._show_task(item_id, index, task, is_done=False)
            case {
                "type": "thread.item.added" | "thread.item.done" as kind,
                "item": {"type": "workflow", "id": item_id, "workflow": {"tasks": tasks}},
            }:
                for index, task in enumerate(tasks):
                    self._show_task(item_id, index, task, is_done=kind == "thread.item.done")
            case {
                "type": "thread.item.done",
                "item": {"type": "assistant_message", "id": item_id, "content": parts},
            }:
                # Usually the text is already printed. It may also arrive as a whole or be replaced.
                text = "".join(part["text"] for part in parts)
                if text != self._written.get(item_id, ""):
                    self.end_line()
                    self._write(text)
                self.end_line()
            case {
                "type": "thread.item.done",
                "item": {"type": "user_message" | "end_of_turn"},
            }:
                pass
            case {"type": "thread.item.done", "item": {"type": kind} as item}:
                self._note(item.get("copy_text") or f"({kind}, which a terminal cannot show)")
            case {"type": "progress_update" | "notice", **notice}:
                self._note(notice.get("text") or notice.get("message") or "")
            case {"type": "error", **error}:
                self.error = clean(error.get("message") or "The server failed; its log says why.")

    def end_line(self) -> None:
        """End the current line."""
        if self._is_in_line:
            print(flush=True)
        self._is_in_line = False

    def _show_task(self, item_id: str, index: int, task: dict[str, Any], *, is_done: bool) -> None:
        title, content = task.get("title") or "", task.get("content") or ""
        if task["type"] == "thought":
            # A thought grows word by word, so it is printed only when it is complete.
            title, content = ("Thought", content) if is_done else ("", "")
        note = ": ".join(part for part in (title, content) if part)
        if note and (item_id, index, note) not in self._notes:
            self._notes.add((item_id, index, note))
            self._note(note)

    def _write(self, text: str) -> None:
        text = clean(text)
        print(text, end="", flush=True)
        if text:
            self._is_in_line = not text.endswith("\n")

    def _note(self, text: str) -> None:
        """Print a dim line about something other than the answer."""
        self.end_line()
        line = " ".join(clean(text).split())
        line = f"· {line if len(line) < 100 else line[:99] + '…'}"
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            line = f"\x1b[2m{line}\x1b[0m"
        print(line, flush=True)


def clean(text: str) -> str:
    """Return text without characters that could control the terminal."""
    return CONTROL_CHARACTERS.sub("", text)


def questions() -> Iterator[str]:
    """Yield lines from the keyboard or a pipe until the input ends."""
    if sys.stdin.isatty():
        print("Type a message; Ctrl-D ends the chat.")
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line


def main() -> int:
    parser = argparse.ArgumentParser(description="Chat with a ChatKit server from a terminal.")
    parser.add_argument("message", nargs="*", help="the question; omit it to have a conversation")
    parser.add_argument("--url", default=DEFAULT_URL, help="default: %(default)s")
    arguments = parser.parse_args()
    message = " ".join(arguments.message)
    chat = Chat(arguments.url)
    exit_code = 0
    try:
        for question in [message] if message else questions():
            if not is_answered(chat, question):
                exit_code = 1
    except KeyboardInterrupt:
        print()
        return 130
    return exit_code


def is_answered(chat: Chat, question: str) -> bool:
    """Ask a question, and return whether it was answered. Prints the reason if it was not."""
    try:
        chat.ask(question)
    except ChatError as error:
        print(error, file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
