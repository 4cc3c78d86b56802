"""The processes of `turns.py`: servers and workers on a separate core, and their time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

SERVER_CORE = 0
CLIENT_CORE = 1


class Process:
    """A process that runs on the servers' core after it has been pinned.

    Args:
        command: The command to run.
        log: The file for its standard error.
        options: Options of `subprocess.Popen`.
    """

    def __init__(self, command: Sequence[str], log: Path, **options: Any) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(command, stderr=errors, **options)
        # Before that, all processes import their packages, and both cores help.
        os.sched_setaffinity(self.pid, {SERVER_CORE, CLIENT_CORE})

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def pids(self) -> list[int]:
        """Return the IDs of the process and its children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def pin(self) -> None:
        """Pin all threads to the servers' core; later threads inherit it."""
        for pid in self.pids():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                # A thread may have ended in the meantime.
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), {SERVER_CORE})

    def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self) -> RuntimeError:
        errors = self._log.read_text(errors="replace")[-2000:]
        return RuntimeError(f"The process ended with {self._process.wait()}:\n{errors}")


class Server(Process):
    """A process, possibly with workers, that serves HTTP."""

    def __init__(self, command: Sequence[str], port: int, log: Path, **options: Any) -> None:
        super().__init__(command, log, stdout=subprocess.DEVNULL, **options)
        self.port = port

    def wait(self) -> None:
        """Wait until the server accepts connections."""
        while not self._accepts():
            if self._process.poll() is not None:
                raise self._ended()
            time.sleep(0.1)

    def processor_time(self) -> float:
        """Return the seconds of processor time used by all threads since the start."""
        return sum(map(processor_time, self.pids()))

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Worker(Process):
    """A process that answers each line of input with a line of JSON."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        pipe = subprocess.PIPE
        super().__init__(command, log, stdin=pipe, stdout=pipe, text=True)

    def ask(self, *words: object) -> Any:
        """Return the answer to a question."""
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        print(*words, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return json.loads(line)


def processor_time(pid: int) -> float:
    """Return the processor time of a process in seconds, with nanosecond precision.

    Linux has such a clock for every process; `clock_getcpuclockid` computes its ID like this.
    """
    return time.clock_gettime((~pid << 3) | 2)


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def owner_of_connection(pids: Sequence[int], server_port: int, client_port: int) -> int | None:
    """Return the process that accepted a local connection, or `None`."""
    inode = _inode(server_port, client_port)
    for pid in pids if inode else ():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            # A descriptor may have been closed in the meantime.
            with suppress(FileNotFoundError):
                if os.readlink(descriptor) == f"socket:[{inode}]":
                    return pid
    return None


def _inode(server_port: int, client_port: int) -> str | None:
    """Return the inode of a connection's socket on the server's side."""
    ends = f":{server_port:04X}", f":{client_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]) and fields[9] != "0":
            return fields[9]
    return None
