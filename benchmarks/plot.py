"""Draw the processor time of a token and a turn from the output of `turns.py`.

    python benchmarks/turns.py --json turns.json
    python benchmarks/plot.py turns.json turns.svg

The drawing has no background, and its colors are readable on white and on black.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

OURS = "ours"
TEXT = "#7d7d7d"
OUR_BAR = "#3b82f6"
OTHER_BAR = "#94a3b8"

WIDTH = 720
LABELS = 210
"""The width of the column of names."""
BAR = 22
ROW = 34
TITLE = 44
GAP = 18
FIGURE = 90
"""The width reserved for the figure after the longest bar."""


@dataclass(frozen=True)
class Panel:
    """A group of bars."""

    title: str
    unit: str
    scale: float
    measure: str
    figure: str


PANELS = (
    Panel("Processor time of a token", "µs", 1e6, "tokens", "per token"),
    Panel("Processor time of a turn of one token", "ms", 1e3, "turns", "per turn"),
)


def values(rounds: list[Any], panel: Panel) -> dict[str, list[float]]:
    """Return the figures of all rounds, by contestant."""
    names: list[str] = list(rounds[0][panel.measure])
    return {
        name: [each[panel.measure][name][panel.figure] * panel.scale for each in rounds]
        for name in names
    }


def draw_panel(panel: Panel, bars: dict[str, list[float]], top: float) -> list[str]:
    """Return the elements of a panel."""
    longest = max(median(each) for each in bars.values())
    lines = [f'<text class="title" x="0" y="{top + 22:g}">{escape(panel.title)}</text>']
    for number, (title, taken) in enumerate(bars.items()):
        name = title.replace("`", "")
        y = top + TITLE + number * ROW
        length = (WIDTH - LABELS - FIGURE) * median(taken) / longest
        label = f"{median(taken):,.{0 if panel.unit == 'µs' else 1}f} {panel.unit}"
        middle = y + BAR / 2 + 5
        fill = OUR_BAR if name.startswith(OURS) else OTHER_BAR
        lines += [
            f'<text x="{LABELS - 12}" y="{middle:g}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LABELS}" y="{y:g}" width="{length:.1f}" height="{BAR}" rx="3" '
            f'fill="{fill}"/>',
            f'<text x="{LABELS + length + 8:.1f}" y="{middle:g}">{escape(label)}</text>',
        ]
    return lines


def draw(rounds: list[Any]) -> str:
    """Return the SVG document."""
    lines: list[str] = []
    description: list[str] = []
    top = 0.0
    for panel in PANELS:
        bars = values(rounds, panel)
        lines += draw_panel(panel, bars, top)
        top += TITLE + len(bars) * ROW + GAP
        figures = ", ".join(f"{n} {median(v):.3g} {panel.unit}" for n, v in bars.items())
        description.append(f"{panel.title}: {figures}.")
    height = top - GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
            f'role="img" aria-label="{escape(" ".join(description))}">',
            f"<style>text {{ font: 14px system-ui, sans-serif; fill: {TEXT} }} "
            ".title { font-weight: 600; font-size: 15px }</style>",
            *lines,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", type=Path, help="the output file of turns.py --json")
    parser.add_argument("drawing", type=Path, help="the SVG file to write")
    arguments = parser.parse_args()
    rounds = json.loads(arguments.figures.read_text())["rounds"]
    arguments.drawing.write_text(draw(rounds))
