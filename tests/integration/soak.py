"""Runs many turns on several servers, while connections are cut and servers are killed."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from ..fakes.scripted_answers import Script, times_of
from .live_threads import Person, RefusedError, Stream, StreamEndedError, check_equal_to_fresh_load
from .live_workers import LiveWorker
from .thread_view import View, text_of

THREADS = 12
"""The number of concurrent threads."""

MAY_LACK = 1.0
"""The maximum seconds of text that may be lost when a server is killed.

On an idle machine, it is 0.1. This leaves time for processes that wait for a core.
"""

MARKED_WITHIN = 30.0
"""The seconds until a killed server's turn must be marked as interrupted, with a reserve."""


class Soak:
    """Asks, cuts connections and kills servers at random, and checks every turn at its end.

    Args:
        workers: The servers.
        database: The URL of their database.
        turns: The number of turns.
        kills: The number of times that a server is killed.
        cuts: The number of times that the database's connections are cut.
        seed: The seed of the random numbers.
    """

    def __init__(
        self,
        workers: list[LiveWorker],
        database: str,
        *,
        turns: int,
        kills: int,
        cuts: int,
        seed: int,
    ) -> None:
        self.workers = workers
        self.random = random.Random(seed)  # noqa: S311 it is not for secrets
        self.counted: Counter[str] = Counter()
        """The number of times that each event happened."""
        self.lacking = 0.0
        """The most seconds of a model's text that were lost."""
        self.slowest = 0.0
        """The most seconds until a turn was marked as interrupted."""
        self._database = database
        self._left = turns
        self._turns = turns
        self._kill_at = self._points(kills)
        self._cut_at = self._points(cuts)
        self._restarting: set[asyncio.Task[None]] = set()
        self._serving: dict[LiveWorker, set[Turn]] = {each: set() for each in workers}

    def _points(self, count: int) -> set[int]:
        """Return the numbers of turns after which something happens, evenly spread."""
        return {(index + 1) * self._turns // (count + 1) for index in range(count)}

    async def run(self) -> None:
        await asyncio.gather(*(self._converse() for _ in range(THREADS)))
        await asyncio.gather(*self._restarting)

    async def _converse(self) -> None:
        """Ask a few times in each of a series of threads."""
        while self._left:
            thread = Conversation(self)
            await thread.introduce()
            for _ in range(self.random.randint(2, 8)):
                if not self._left:
                    break
                self._left -= 1
                self._maybe_disturb()
                await thread.take_turn()
            await thread.check()

    def _maybe_disturb(self) -> None:
        done = self._turns - self._left
        if done in self._kill_at:
            self._restarting.add(asyncio.create_task(self._kill()))
        if done in self._cut_at:
            self._restarting.add(asyncio.create_task(self._cut_from_database()))

    async def _kill(self) -> None:
        """Kill a server during an answer, and restart it."""
        while not (busy := [each for each in self.workers if self._streaming(each)]):
            await asyncio.sleep(0.01)
        worker = self.random.choice(busy)
        worker.kill()
        for turn in self._serving[worker]:
            turn.killed_at = time.monotonic()
        self.counted["kills"] += 1
        await asyncio.sleep(self.random.uniform(0, 3))
        worker.start()

    def _streaming(self, worker: LiveWorker) -> bool:
        return any(turn.has_begun for turn in self._serving[worker])

    async def _cut_from_database(self) -> None:
        """Cut every connection to the database."""
        async with await psycopg.AsyncConnection.connect(self._database, autocommit=True) as cut:
            await cut.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        self.counted["database cuts"] += 1

    def choose(self) -> LiveWorker:
        """Return a running server."""
        there = [each for each in self.workers if each.process.poll() is None and each.is_ready]
        return self.random.choice(there or self.workers)

    def serve(self, worker: LiveWorker, turn: Turn) -> None:
        self._serving[worker].add(turn)

    def served(self, turn: Turn) -> None:
        for turns in self._serving.values():
            turns.discard(turn)

    def script(self) -> Script:
        chosen = self.random
        return Script(
            say=chosen.choice((1, 5, 40, 120)),
            pause=chosen.choice((0.0, 0.005, 0.02)),
            size=chosen.choice((0, 0, 0, 3000)),
            seed=chosen.randrange(10**9),
            marked=1,
            timed=1,
            tool=secrets.token_hex(4) if chosen.random() < 0.3 else "",
        )


@dataclass(eq=False)
class Turn:
    """A turn: its question and its outcome."""

    script: Script
    has_begun: bool = False
    killed_at: float | None = None
    state: str = ""
    kept: str = ""
    """The text that the thread contains."""
    ended_at: float = 0

    def lacking(self, folder: Path) -> float:
        """Return the seconds of the model's text that were lost."""
        times = times_of(folder, self.script)
        if not times.exists():
            # Its server was killed before the model sent anything.
            assert not self.kept
            return 0.0
        # The last line may be incomplete.
        said_at = [float(line) for line in times.read_text().split("\n")[:-1]]
        left = len(self.kept)
        for at, piece in zip(said_at, self.script.pieces(), strict=False):
            left -= len(piece)
            if left < 0:
                return said_at[-1] - at
        return 0.0


@dataclass
class Conversation:
    """A thread, and the user who asks in it."""

    soak: Soak
    person: Person = field(default_factory=Person)
    view: View = field(default_factory=View)
    thread_id: str = ""
    turns: list[Turn] = field(default_factory=list)

    async def introduce(self) -> None:
        """Get a visitor's cookie, as a page does when it loads, so that requests have an owner."""
        await self._with_any(lambda worker: self.person.get(worker, "threads.list"))

    async def take_turn(self) -> None:
        turn = Turn(self.soak.script())
        self.turns.append(turn)
        stream = await self._ask(turn)
        turn.has_begun = True
        watching = await self._beside()
        while not self._has_ended(turn):
            await self._until_cut(stream, turn)
            if not self._has_ended(turn):
                stream = await self._resume(turn)
        turn.ended_at = time.monotonic()
        await stream.close()
        self.soak.served(turn)
        await self._check_turn(turn, watching)

    def _has_ended(self, turn: Turn) -> bool:
        return (
            self.view.turn is not None
            and self.view.newest_question == turn.script.question
            and self.view.state != "running"
        )

    async def _ask(self, turn: Turn) -> Stream:
        """Ask repeatedly until the server has certainly received the question."""
        soak = self.soak
        request_id = secrets.token_hex(8)
        before = self.view
        while True:
            # A repeated request gets the whole answer.
            self.view = before.copy()
            worker = soak.choose()
            soak.serve(worker, turn)
            stream = self.person.ask(
                worker, turn.script.question, self.thread_id, view=self.view, request_id=request_id
            )
            if soak.random.random() < 0.1:
                # For the user, the response is lost.
                await asyncio.sleep(soak.random.uniform(0, 0.05))
                await stream.close()
                soak.counted["lost replies"] += 1
                continue
            try:
                await stream.until(
                    lambda view: view.newest_question == turn.script.question and view.turn
                )
            except (StreamEndedError, RefusedError) as error:
                if isinstance(error, RefusedError) and not error.is_passing:
                    raise
                soak.counted["asked again"] += 1
                await asyncio.sleep(0.1)
                continue
            self.thread_id = self.view.thread["id"] if not self.thread_id else self.thread_id
            return stream

    async def _beside(self) -> Stream | None:
        """Sometimes follow with another tab."""
        if self.soak.random.random() > 0.2:
            return None
        worker = self.soak.choose()
        return self.person.follow(worker, self.thread_id)

    async def _until_cut(self, stream: Stream, turn: Turn) -> None:
        """Read until the end, or until the connection is cut at random or with its server."""
        frames = self.soak.random.choice((1, 3, 10, 10**9, 10**9))
        begun = len(stream.frames)

        def is_over(view: View) -> bool:
            return self._has_ended(turn) or len(stream.frames) - begun >= frames

        while not is_over(self.view) and not stream.has_ended:
            await stream.changed(0.5)
        if not self._has_ended(turn):
            self.soak.counted["cuts"] += 1
        await stream.close()

    async def _resume(self, turn: Turn) -> Stream:
        soak = self.soak
        while True:
            after = self.view.after
            view = self.view.copy()
            if soak.random.random() < 0.4:
                after, view = None, View()
                soak.counted["reloads"] += 1
            worker = soak.choose()
            stream = self.person.follow(worker, self.thread_id, after=after, view=view)
            try:
                await stream.begun()
            except (StreamEndedError, RefusedError) as error:
                if isinstance(error, RefusedError) and not error.is_passing:
                    raise
                soak.counted["followed again"] += 1
                await asyncio.sleep(0.1)
                continue
            self.view = view
            return stream

    async def _check_turn(self, turn: Turn, watching: Stream | None) -> None:
        soak, view = self.soak, self.view
        turn.state = str(view.state)
        text = turn.kept = view.newest_answer
        if turn.state == "completed":
            assert text == turn.script.text
        else:
            assert turn.state == "interrupted", view.turn
            assert turn.killed_at is not None
            assert turn.script.text.startswith(text)
            lacking = turn.lacking(soak.workers[0].folder)
            assert lacking < MAY_LACK
            soak.lacking = max(soak.lacking, lacking)
            took = turn.ended_at - turn.killed_at
            assert took < MARKED_WITHIN
            soak.slowest = max(soak.slowest, took)
            end = list(view.items.values())[-1]
            assert (end["type"], end["state"]) == ("end_of_turn", "interrupted")
        soak.counted[turn.state] += 1
        if watching is not None:
            try:
                await watching.until(self._is_as_far)
                assert watching.view.newest_answer == text
                soak.counted["watched"] += 1
            except (StreamEndedError, RefusedError):
                soak.counted["not watched"] += 1
            await watching.close()
        await self._with_any(
            lambda worker: check_equal_to_fresh_load(self.person, worker, self.thread_id, view)
        )

    def _is_as_far(self, other: View) -> bool:
        return other.turn_id == self.view.turn_id and other.state == self.view.state

    async def _with_any(self, check: Any) -> None:
        """Check something on a server that is not killed meanwhile."""
        while not await self._works(check, self.soak.choose()):
            await asyncio.sleep(0.1)

    async def _works(self, check: Any, worker: LiveWorker) -> bool:
        try:
            await check(worker)
        except RefusedError as error:
            if not error.is_passing:
                raise
        except (httpx.TransportError, StreamEndedError):
            pass
        else:
            return True
        return False

    async def check(self) -> None:
        """Check the whole thread: nothing is duplicated, for users or for the model."""
        if not self.thread_id:
            return
        await self._with_any(self._check)

    async def _check(self, worker: LiveWorker) -> None:
        items = await self.person.items(worker, self.thread_id)
        asked = [text_of(each) for each in items if each["type"] == "user_message"]
        # An earlier attempt of this check may have been cut.
        questions = [text for text in asked if text != "recall"]
        assert questions == [turn.script.question for turn in self.turns]
        stream = self.person.ask(worker, "recall", self.thread_id)
        await stream.end()
        if stream.view.state != "completed":
            raise StreamEndedError

        remembered = json.loads(stream.view.newest_answer)
        texts = [
            (role, part) for role, *parts in remembered for part in parts if isinstance(part, str)
        ]
        questions = [text for role, text in texts if role == "user"]
        answers = [text for role, text in texts if role == "assistant" and not text.startswith("[")]
        for turn in self.turns:
            assert sum(text.count(turn.script.question) for text in questions) == 1
            assert not turn.kept or sum(text.count(turn.kept) for text in answers) == 1
        self.soak.counted["threads"] += 1


def calls_made(folder: Path) -> list[str]:
    """Return the arguments of the tool's calls."""
    made = folder / "calls"
    return made.read_text().split() if made.exists() else []
