"""Measures many concurrent answers through a server on one core: `make bench`.

Each token contains the time at which the model produced it; the client, on another core, measures
when it arrives.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.request import urlopen

import uvicorn
from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    ResponseStream,
)

from agent_framework_chatkit import create_app
from turns_server import our_server

RATE = 50
"""Tokens per second."""

STAMP = re.compile(rb"@(\d+)@")


class StampingClient(BaseChatClient[Any]):
    """A model whose tokens contain the current time."""

    seconds = 10.0

    def _inner_get_response(self, **kwargs: Any) -> Any:
        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            started_at = time.monotonic()
            for number in range(int(self.seconds * RATE)):
                due = started_at + number / RATE
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                stamp = Content.from_text(f"@{time.monotonic_ns()}@")
                yield ChatResponseUpdate(contents=[stamp], role="assistant", message_id="m")

        return ResponseStream(
            updates(), finalizer=lambda updates: ChatResponse.from_updates(updates)
        )


def serve(port: int, store: str, seconds: float) -> None:
    os.sched_setaffinity(0, {0})
    model = StampingClient()
    model.seconds = seconds
    app = create_app(our_server(Agent(client=model), store))
    uvicorn.run(app, port=port, log_level="warning")


async def listen(port: int, latencies: list[float], firsts: list[float]) -> None:
    content = [{"type": "input_text", "text": "Go"}]
    message = {"content": content, "attachments": [], "inference_options": {}}
    body = json.dumps({"type": "threads.create", "params": {"input": message}}).encode()
    started_at = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(
        b"POST /chatkit HTTP/1.1\r\nHost: chat\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    has_event = False
    async for line in reader:
        if not line.startswith(b"data: "):
            continue
        now = time.monotonic_ns()
        if not has_event:
            has_event = True
            firsts.append(time.monotonic() - started_at)
        if b"text_delta" in line:
            latencies.extend((now - int(stamp)) / 1e6 for stamp in STAMP.findall(line))
    writer.close()


def memory(process: int) -> float:
    """Return the memory of a process in megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def processor(process: int) -> float:
    """Return the processor time of a process in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(port: int, server: int, streams: int, seconds: float) -> None:
    """Measure a running server with this process ID."""
    await listen(port, [], [])  # warm up
    before, used, started_at = memory(server), processor(server), time.monotonic()
    latencies: list[float] = []
    firsts: list[float] = []
    listening = [asyncio.create_task(listen(port, latencies, firsts)) for _ in range(streams)]
    await asyncio.sleep(seconds * 0.8)
    held = memory(server) - before
    await asyncio.gather(*listening)
    busy = (processor(server) - used) / (time.monotonic() - started_at)
    cut = quantiles(latencies, n=100)
    print(f"{streams} streams of {RATE} tokens a second for {seconds:g} s on one core")
    print(f"  tokens received: {len(latencies):,} of {int(streams * seconds * RATE):,}")
    print(f"  ms until a token arrives: p50 {cut[49]:.1f}, p99 {cut[98]:.1f}")
    print(f"  ms until the first event, all at once: p50 {median(firsts) * 1e3:.0f}")
    print(f"  memory per stream: {held / streams * 1024:.0f} kB")
    print(f"  of the core in use: {busy:.0%}")


def main(streams: int, seconds: float) -> None:
    os.sched_setaffinity(0, {1})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--serve", str(port), "--store", f"sqlite:///{folder}/chat.db"]
        command = [sys.executable, __file__, *arguments, "--seconds", str(seconds)]
        with subprocess.Popen(command) as server:
            while not _answers(port):
                time.sleep(0.1)
            asyncio.run(measure(port, server.pid, streams, seconds))
            server.terminate()


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz"):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--serve", type=int)
    parser.add_argument("--store", default="")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.store, arguments.seconds)
    else:
        main(arguments.streams, arguments.seconds)
