"""Compare the server with its peers: the time of turns and tokens, over HTTP on one core.

The contestants take turns, round after round, with the same scripted model. The output is Markdown.
Linux only: it needs two cores, one for the servers and one for the clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import pstats
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import uvloop

from streaming import print_table, processor
from turns_client import Protocol
from turns_contestants import CLUSTER_WORKERS, SERVERS, Contestants
from turns_measures import (
    RATE,
    Figures,
    can_follow,
    measure_followers,
    measure_starts,
    measure_tokens,
    measure_turns,
    measure_workers,
    take_turns,
    take_turns_everywhere,
)
from turns_process import CLIENT_CORE, Server, Worker
from turns_report import AG_UI, FRAMEWORK, MICROSOFT, OURS, POSTGRES, SERVED, Round, print_report

MEASURES = ("tokens", "turns", "starts", "history", "followers", "workers")

SHORT_NAMES = {
    "ours": OURS,
    "served": SERVED,
    "postgres": POSTGRES,
    "microsoft": MICROSOFT,
    "ag-ui": AG_UI,
}

VERSIONS = (
    "agent-framework-core",
    "agent-framework-chatkit",
    "agent-framework-ag-ui",
    "openai-chatkit",
    "pydantic",
    "starlette",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
)


@dataclass(frozen=True)
class Settings:
    """The amount of work to measure.

    Attributes:
        rounds: The number of rounds.
        streams: Concurrent answers.
        seconds: The duration of each answer.
        turns: Turns of one token.
        start_rate: Starts per second.
        start_seconds: The seconds during which turns start.
        items: Lengths of long threads.
        followers: Followers of each turn.
        follow_rates: Tokens per second of turns with followers.
        follow_seconds: The duration of the measurement of followers.
        worker_streams: Turns that are followed through another worker; 0 skips this.
    """

    rounds: int = 3
    streams: int = 100
    seconds: float = 8
    turns: int = 200
    start_rate: float = 50
    start_seconds: float = 6
    items: tuple[int, ...] = (10, 1_000, 10_000)
    followers: int = 10
    follow_rates: tuple[float, ...] = (RATE, 10)
    follow_seconds: float = 3
    worker_streams: int = 20


QUICK = Settings(
    rounds=1,
    streams=20,
    seconds=1,
    turns=10,
    start_seconds=1,
    items=(10, 100),
    followers=4,
    follow_rates=(10,),
    follow_seconds=2,
    worker_streams=0,
)

HTTP_MEASURES = ("tokens", "turns", "starts")

WARM_UP = 20
"""The number of warm-up turns."""

MANY_ITEMS = 1_000
"""Turns in longer threads are measured less often."""

Task = tuple[str, str, Callable[[], Awaitable[Figures]]]
"""A measure, a contestant, and the function that measures it."""


def tasks(contestants: Contestants, settings: Settings, seed: int) -> Iterator[Task]:
    """Yield everything that a round can measure."""
    for name, server in contestants.servers.items():
        for measure in HTTP_MEASURES:
            yield measure, name, partial(take, measure, server, SERVERS[name][1], settings, seed)
    if contestants.can_follow:
        for name, rate in product((OURS, SERVED), settings.follow_rates):
            measure, server = f"followers {rate:g}", contestants.servers[name]
            yield measure, name, partial(take, measure, server, SERVERS[name][1], settings, seed)
    if contestants.cluster is not None:
        server, protocol = contestants.cluster, SERVERS[POSTGRES][1]
        yield "workers", POSTGRES, partial(take, "workers", server, protocol, settings, seed)
    for name, worker in contestants.workers.items():
        if name == FRAMEWORK:
            yield "tokens", name, partial(ask, worker, "tokens", settings.streams, settings.seconds)
            yield "turns", name, partial(ask, worker, "turns", settings.turns)
            continue
        for items in settings.items:
            count = 3 if items > MANY_ITEMS else 9
            yield f"history {items}", name, partial(ask, worker, "history", items, count)


async def take(
    measure: str, server: Server, protocol: Protocol, settings: Settings, seed: int
) -> Figures:
    """Take a measure over HTTP."""
    kind, _, rate = measure.partition(" ")
    if kind != "workers":
        # Otherwise a measurement would include the previous one's garbage.
        os.kill(server.pid, signal.SIGHUP)
        await asyncio.sleep(0.5)
    if kind == "tokens":
        return await measure_tokens(server, protocol, settings.streams, settings.seconds)
    if kind == "turns":
        return await measure_turns(server, protocol, settings.turns)
    if kind == "starts":
        return await measure_starts(
            server, protocol, settings.start_rate, settings.start_seconds, seed
        )
    if kind == "followers":
        counts = settings.streams, settings.followers
        return await measure_followers(
            server, protocol, *counts, float(rate), settings.follow_seconds
        )
    return await measure_workers(server, protocol, settings.worker_streams, settings.follow_seconds)


async def ask(worker: Worker, *question: object) -> Figures:
    """Take a measure without HTTP."""
    figures: Figures = worker.ask(*question)
    return figures


async def take_round(
    contestants: Contestants, settings: Settings, measures: Sequence[str], number: int
) -> Round:
    """Take each measure of each contestant, every other round in reverse order."""
    todo = [one for one in tasks(contestants, settings, number) if one[0].split()[0] in measures]
    taken: Round = {}
    for measure, name, _ in todo:
        taken.setdefault(measure, {})[name] = {}
    # The contestants of a measure run directly after each other, in the same machine state.
    todo.sort(key=lambda one: list(taken).index(one[0]))
    for measure, name, run in todo[:: -1 if number % 2 else 1]:
        started_at = time.monotonic()
        taken[measure][name] = await run()
        print(f"  {measure}, {name}: {time.monotonic() - started_at:.0f} s", file=sys.stderr)
    return taken


async def compare(
    contestants: Contestants, settings: Settings, measures: Sequence[str]
) -> list[Round]:
    """Take all rounds."""
    for name, server in contestants.servers.items():
        await take_turns(server, SERVERS[name][1], WARM_UP)
    contestants.workers[FRAMEWORK].ask("turns", WARM_UP)
    if {"followers", "workers"} & set(measures):
        contestants.can_follow = await can_follow(contestants.servers[OURS], SERVERS[OURS][1])
        if not contestants.can_follow:
            print("Skipping followers, because the server has no `threads.follow`.\n")
        elif "workers" in measures and settings.worker_streams:
            contestants.start_cluster()
            await warm_up(contestants.cluster)
    rounds = []
    for number in range(settings.rounds):
        print(f"Round {number + 1} of {settings.rounds} ...", file=sys.stderr)
        rounds.append(await take_round(contestants, settings, measures, number))
    return rounds


async def warm_up(cluster: Server | None) -> None:
    """Wait until each worker has run a turn, and pin them all."""
    if cluster is not None:
        await take_turns_everywhere(cluster, SERVERS[POSTGRES][1], CLUSTER_WORKERS)
        cluster.pin()


async def profile(server: Server, name: str, measure: str, settings: Settings) -> None:
    """Take one measure while profiling the server."""
    await take_turns(server, SERVERS[name][1], WARM_UP)
    os.kill(server.pid, signal.SIGUSR1)
    if measure == "followers":
        measure = f"followers {settings.follow_rates[-1]:g}"
    figures = await take(measure, server, SERVERS[name][1], settings, 0)
    os.kill(server.pid, signal.SIGUSR2)
    print(json.dumps(figures))
    await asyncio.sleep(2)


def print_profile(path: Path) -> None:
    """Print the functions that took the most time."""
    stats = pstats.Stats(str(path))
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(45)


def print_machine(versions: dict[str, dict[str, str]], rounds: int) -> None:
    """Print the machine and the versions."""
    print(f"Python {platform.python_version()}, {processor()}, {rounds} rounds.\n")
    rows = [[package, *(of.get(package, "") for of in versions.values())] for package in VERSIONS]
    print_table(["package", *versions], rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, in under a minute")
    parser.add_argument("--rounds", type=int, help="the number of rounds")
    parser.add_argument(
        "--measures", nargs="+", choices=MEASURES, default=MEASURES, help="what to measure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument(
        "--profile",
        choices=[f"{name}:{one}" for name in SHORT_NAMES for one in (*HTTP_MEASURES, "followers")],
        metavar="CONTESTANT:MEASURE",
        help="profile one server instead, such as ours:turns, and write ours-turns.prof",
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    settings = QUICK if arguments.quick else Settings()
    if arguments.rounds:
        settings = replace(settings, rounds=arguments.rounds)
    os.sched_setaffinity(0, {CLIENT_CORE})
    with ExitStack() as stack:
        contestants = Contestants(stack)
        if arguments.profile:
            short_name, _, measure = arguments.profile.partition(":")
            name, path = SHORT_NAMES[short_name], Path(f"{short_name}-{measure}.prof")
            contestants.start([name], path)
            contestants.wait()
            uvloop.run(profile(contestants.servers[name], name, measure, settings))
            print_profile(path)
            return
        contestants.start(list(SERVERS))
        contestants.start_workers()
        contestants.wait()
        versions = {name: contestants.versions.get(name, {}) for name in (OURS, MICROSOFT)}
        print_machine(versions, settings.rounds)
        rounds = uvloop.run(compare(contestants, settings, arguments.measures))
    print_report(rounds, asdict(settings))
    if arguments.json:
        content = {
            "python": platform.python_version(),
            "processor": processor(),
            "versions": versions,
            "settings": asdict(settings),
            "rounds": rounds,
        }
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
