"""Many turns over several servers, while connections are cut and servers are killed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..postgres import PostgresServer
from .live_workers import workers
from .soak import Soak, calls_made

SOAK_TURNS = int(os.environ.get("SOAK_TURNS", "60"))
"""The number of turns. 1,000 take several minutes; add `--timeout 0`."""


async def test_turns_survive_cut_connections_and_killed_servers(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.create_database()
    seed = int(os.environ.get("SOAK_SEED", secrets.randbelow(10**6)))
    # The longest lease with which turns are marked within 10 s, so that living workers do not
    # appear dead on a busy machine.
    with workers(tmp_path, database, 4, CHATKIT_LEASE="8") as started:
        soak = Soak(
            started,
            database,
            turns=SOAK_TURNS,
            kills=max(1, SOAK_TURNS // 50),
            cuts=SOAK_TURNS // 50,
            seed=seed,
        )
        await soak.run()
    found = f"marked within {soak.slowest:.1f} s, {soak.lacking * 1000:.0f} ms lacking"
    print(f"seed {seed}: {dict(soak.counted)}, {found}")  # noqa: T201 for who runs it by hand
    calls = calls_made(tmp_path)
    assert len(calls) == len(set(calls))
    assert soak.counted["completed"] + soak.counted["interrupted"] == SOAK_TURNS
