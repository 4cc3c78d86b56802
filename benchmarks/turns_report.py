"""The tables of `turns.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from streaming import print_table
from turns_measures import RATE, Figures

OURS, SERVED, POSTGRES = "ours", "ours, by `af-chatkit`", "ours, on PostgreSQL"
MICROSOFT, AG_UI, FRAMEWORK = (
    "Microsoft's package",
    "Microsoft's AG-UI endpoint",
    "the agent's run alone",
)

Round = dict[str, dict[str, Figures]]
"""Figures by measure and contestant."""

JOINING = 0.03
"""The maximum seconds for which the server holds back text to join it."""


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Attributes:
        header: The header.
        figure: The figure to show.
        unit: The number of units in a second.
        digits: Digits after the decimal point.
        is_ratio: Whether it shows the figure divided by that of Microsoft's package.
        is_less_joining: Whether the time for joining text is subtracted.
    """

    header: str
    figure: str
    unit: float = 1e3
    digits: int = 1
    is_ratio: bool = False
    is_less_joining: bool = False

    def cell(self, rounds: Sequence[Round], measure: str, name: str) -> str:
        """Return the median, the minimum and the maximum of the rounds."""
        values = []
        for figures in (each[measure] for each in rounds):
            if self.figure not in figures.get(name, {}):
                continue
            value = figures[name][self.figure] * self.unit
            if self.is_less_joining and name in (OURS, SERVED, POSTGRES):
                value -= JOINING * self.unit
            if self.is_ratio:
                if name == MICROSOFT or MICROSOFT not in figures:
                    continue
                value /= figures[MICROSOFT][self.figure] * self.unit
            values.append(value)
        return spread(values, self.digits)


def ratio(figure: str, header: str = "times Microsoft's package") -> Column:
    """Return a column of ratios within a round."""
    return Column(header, figure, 1, 2, is_ratio=True)


def spread(values: Sequence[float], digits: int) -> str:
    """Return the median, the minimum and the maximum."""
    if not values:
        return ""
    middle, low, high = (f"{each(values):,.{digits}f}" for each in (median, min, max))
    return middle if len(values) == 1 else f"{middle} ({low} to {high})"


TOKEN_COLUMNS = (
    Column("µs a token", "per token", 1e6),
    ratio("per token"),
    Column("µs while all stream", "per token while all stream", 1e6),
    ratio("per token while all stream"),
    Column("% of the core", "busy", 100, 0),
)
LATENESS_COLUMNS = (
    Column("ms late, p50", "late p50"),
    Column("p99", "late p99"),
    Column("p50 less joining", "late p50", is_less_joining=True),
    Column("p99 less joining", "late p99", is_less_joining=True),
    Column("p99 with the starts", "late with starts p99"),
)
TURN_COLUMNS = (
    Column("ms a turn", "per turn", digits=2),
    ratio("per turn"),
    Column("ms elapsed", "elapsed per turn"),
)
START_COLUMNS = (
    Column("ms to the first event, p50", "first event p50"),
    Column("p99", "first event p99"),
)
FOLLOWER_COLUMNS = (
    Column("µs an event", "per event", 1e6),
    Column("events a second", "events a second", 1, 0),
    Column("ms late, p50", "late p50"),
    Column("p95", "late p95"),
    Column("p95 less joining", "late p95", is_less_joining=True),
    Column("% of the core", "busy", 100, 0),
)
WORKER_COLUMNS = (
    Column("ms late, p50", "late p50"),
    Column("p95", "late p95"),
    Column("p95 less joining", "late p95", is_less_joining=True),
    Column("% of the core", "busy", 100, 0),
)


def print_report(rounds: Sequence[Round], settings: Mapping[str, float]) -> None:
    """Print a table for each measure that was taken."""
    streams, followers = settings["streams"], settings["followers"]
    sections = {
        "tokens": (
            f"A token, at {streams:g} streams of {RATE} tokens a second: processor time",
            TOKEN_COLUMNS,
        ),
        "turns": ("A turn of one token in a new thread: processor time", TURN_COLUMNS),
        "starts": (f"{settings['start_rate']:g} starts a second", START_COLUMNS),
    }
    for measure, (title, columns) in sections.items():
        if measure not in rounds[0]:
            continue
        print_section(title, rounds, measure, columns)
        if measure == "tokens":
            print_section(
                "The same tokens: how late they arrive", rounds, measure, LATENESS_COLUMNS
            )
    print_history(rounds)
    for measure in rounds[0]:
        kind, _, rate = measure.partition(" ")
        if kind == "followers":
            title = f"{followers:g} followers on each of {streams:g} turns, {rate} tokens a second"
            print_section(title, rounds, measure, FOLLOWER_COLUMNS)
        if kind == "workers":
            title = "A follower on another of 4 workers, on PostgreSQL"
            print_section(title, rounds, measure, WORKER_COLUMNS)


def print_section(
    title: str, rounds: Sequence[Round], measure: str, columns: Sequence[Column]
) -> None:
    """Print the table of one measure."""
    print(f"### {title}\n")
    rows = [
        [name, *(column.cell(rounds, measure, name) for column in columns)]
        for name in rounds[0][measure]
    ]
    print_table(["", *(column.header for column in columns)], rows)


def print_history(rounds: Sequence[Round]) -> None:
    """Print the cost of a turn in threads of increasing length."""
    measures = [measure for measure in rounds[0] if measure.startswith("history")]
    if not measures:
        return
    print("### A turn in a long thread: processor time beside the agent's run\n")
    rows = []
    for name in rounds[0][measures[0]]:
        for measure in measures:
            values = [each[measure][name]["share"] for each in rounds]
            shortest = [each[measures[0]][name]["share"] for each in rounds]
            growth = [one / other for one, other in zip(values, shortest, strict=True)]
            rows.append(
                [
                    name if measure == measures[0] else "",
                    f"{int(measure.split()[1]):,}",
                    spread([value * 1e3 for value in values], 1),
                    "" if measure == measures[0] else spread(growth, 1),
                    Column("", "run", digits=2).cell(rounds, measure, name),
                ]
            )
    print_table(["", "items", "ms beside the run", "times the shortest", "ms of the run"], rows)
