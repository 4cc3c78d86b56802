"""Turns on SQLite, compared with a model."""

from __future__ import annotations

from .machine import SETTINGS
from .on_sqlite import OnSQLite

TestTurns = OnSQLite.TestCase
TestTurns.settings = SETTINGS
