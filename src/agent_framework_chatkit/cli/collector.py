"""When garbage collections run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause garbage collections, and leave out what exists afterwards.

    While the framework is imported, they would take a third of the time and free nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def tune_collector() -> None:
    """Make garbage collections rare and short.

    Imported modules are never garbage, and scanning them in each collection would take longer than
    a turn. The objects of an answer are freed when it ends, without a collection. Until then,
    collections would only delay all answers: by 10 to 40 ms, and rarely by more, at these
    thresholds and a hundred fast answers.
    """
    gc.freeze()
    gc.set_threshold(10_000, 2, 250)
