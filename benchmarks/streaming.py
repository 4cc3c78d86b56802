"""Compare the cost of converting an agent's updates to ChatKit events.

Compares this package with the current `agent-framework-chatkit` from the package index, installed
into a temporary environment, and with `chatkit.agents`, which does the same for the OpenAI Agents
SDK. Each runs in a separate process, and they take turns. The output is Markdown.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any

WORKER = Path(__file__).with_name("streaming_worker.py")
PEER = "agent-framework-chatkit>=1.0.0b0"
OUR_NAME = "agent-framework-chatkit"
FREE = {OUR_NAME, "fastapi"}
"""Packages whose versions may differ for peers."""

COUNTS = (1_000, 10_000, 100_000)
"""The number of updates in a reply."""

TEXT_BYTES = 6
"""The bytes of text in an update."""

MIN_TURN = 10_000
"""The minimum number of updates per contestant and round, if necessary in several replies."""


class Contestant:
    """A process that converts replies on request."""

    def __init__(self, name: str, python: Path, case: str) -> None:
        self.name = name
        self.case = case
        # Isolated, so that neither environment imports the other's module.
        self.process = subprocess.Popen(
            [str(python), "-I", str(WORKER), case],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions: dict[str, str] = self._answer()
        self.times: dict[int, list[float]] = {count: [] for count in COUNTS}
        """Microseconds per update in each round, by the number of updates in a reply."""

    def ask(self, question: str, count: int) -> Any:
        """Return the worker's answer for a reply with this number of updates."""
        assert self.process.stdin is not None  # noqa: S101
        print(question, count, file=self.process.stdin, flush=True)
        return self._answer()

    def take_turn(self, count: int) -> None:
        replies = max(1, MIN_TURN // count)
        seconds = sum(self.ask("time", count) for _ in range(replies))
        self.times[count].append(seconds / (replies * count) * 1e6)

    def stop(self) -> None:
        self.process.communicate()

    def _answer(self) -> Any:
        assert self.process.stdout is not None  # noqa: S101
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: the worker ended with {self.process.wait()}.")
        return json.loads(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=15, help="the number of rounds; default: %(default)s"
    )
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peer-")))
        ours, peer = Path(sys.executable), install_peer(folder)
        contestants: list[Contestant] = []
        # The peer runs directly after this package, so that the machine is in the same state.
        for name, python, case in (
            ("ours, text", ours, "text"),
            ("peer, text", peer, "text"),
            ("ours, Chat Completions", ours, "chat_completions"),
            ("peer, Chat Completions", peer, "chat_completions"),
            ("ours, with a `ThreadContext`", ours, "context"),
            ("`chatkit.agents`", ours, "agents_sdk"),
            ("ours, mixed reply", ours, "mixed"),
        ):
            if python is not None:
                contestants.append(Contestant(name, python, case))
                stack.callback(contestants[-1].stop)
        print(f"Python {platform.python_version()}, {processor()}, {rounds} rounds.\n")
        print_versions(contestants)
        for number in range(rounds):
            print(f"Round {number + 1} of {rounds} ...", file=sys.stderr)
            for count in COUNTS:
                for contestant in contestants[:: -1 if number % 2 else 1]:
                    contestant.take_turn(count)
        print_speed(contestants)
        print_memory(contestants)


def install_peer(folder: Path, *others: str) -> Path | None:
    """Install the peer, with the same versions of everything else as far as it allows.

    Args:
        folder: The folder for its environment.
        others: The requirements of other packages to install.

    Returns:
        Its environment's Python, or `None` if it cannot be installed or imported.
    """
    uv = [sys.executable, "-m", "uv"]
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    constraints = folder / "constraints.txt"
    constraints.write_text(
        "\n".join(f"{one.name}=={one.version}" for one in distributions() if one.name not in FREE)
    )
    install = [*uv, "pip", "install", "--quiet", "--python", str(python), PEER, *others]
    try:
        run(*uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
        try:
            run(*install, "--constraints", str(constraints))
        except subprocess.CalledProcessError:
            run(*install)
        run(str(python), "-I", "-c", "import agent_framework_chatkit")
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip() or str(error)).splitlines()[-1].strip()
        print(f"Skipping the peer, because it cannot be installed or imported: {reason}\n")
        return None
    return python


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else platform.machine()


def print_versions(contestants: Sequence[Contestant]) -> None:
    """Print the versions of this package, the peer and their dependencies."""
    environments = {one.name.partition(",")[0]: one.versions for one in contestants}
    sides = [side for side in ("ours", "peer") if side in environments]
    rows = [
        [package, *(environments[side][package] for side in sides)]
        for package in environments["ours"]
    ]
    print_table(["package", *sides], rows)


def print_speed(contestants: Sequence[Contestant]) -> None:
    peers = {one.case: one for one in contestants if one.name.startswith("peer")}
    rows = []
    for one in contestants:
        peer = peers.get(one.case)
        for count in COUNTS:
            size = one.ask("size", count)
            rows.append(
                [
                    one.name if count == COUNTS[0] else "",
                    f"{count:,}",
                    spread(one.times[count]),
                    ratio(one.times[count], peer.times[count]) if peer and peer != one else "",
                    ratio(one.times[count], one.times[COUNTS[0]]) if count != COUNTS[0] else "",
                    f"{size['bytes'] / count:.0f}",
                    f"{size['events'] / count:.2f}",
                ]
            )
    header = ["", "updates", "µs per update", "times the peer", f"times {COUNTS[0]:,} updates"]
    print_table([*header, "bytes per update", "events per update"], rows)


def print_memory(contestants: Sequence[Contestant]) -> None:
    count = COUNTS[-1]
    rows = []
    for one in contestants:
        most = one.ask("memory", count)
        per_update, total = most["streaming"] / count, most["total"] / 2**20
        rows.append([one.name, f"{per_update:.1f}", f"{total:.1f}"])
    print(
        f"Memory while {count:,} updates stream. An update has {TEXT_BYTES} bytes of text, "
        f"which makes {count * TEXT_BYTES / 2**20:.1f} MiB together.\n"
    )
    print_table(["", "bytes per update, until the last update", "MiB, until the end"], rows)


def spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Return the median ratio of the rounds."""
    return f"{median(one / other for one, other in zip(values, others, strict=True)):.2f}"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table with a column of names and columns of numbers."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in (header, rule, *rows):
        name, *numbers = row
        cells = [name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)


if __name__ == "__main__":
    main()
