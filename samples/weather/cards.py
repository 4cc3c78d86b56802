"""The weather widgets: a card that fills in, and a choice of cities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatkit.widgets import DynamicWidgetRoot

from .forecast import Condition, Place, Weather

ASK = "weather.ask"
"""The action of a button that asks a question on the user's behalf."""

_ICONS: dict[Condition, str] = {
    "clear": "lucide:sun",
    "partly cloudy": "lucide:cloud-sun",
    "cloudy": "lucide:cloud",
    "fog": "lucide:cloud-fog",
    "rain": "lucide:cloud-rain",
    "snow": "lucide:cloud-snow",
    "thunderstorm": "lucide:cloud-lightning",
}


def waiting_card(place: Place) -> DynamicWidgetRoot:
    """Return the card to show until the weather arrives."""
    return _card(_heading(place, "Looking at the sky …", "lucide:cloud"))


def weather_card(weather: Weather) -> DynamicWidgetRoot:
    """Return the weather card of a place: now, today, and the next days."""
    place = weather.place
    return _card(
        _heading(place, f"{place.country}, {place.now():%H:%M}", _ICONS[weather.condition]),
        _now(weather),
        _details(weather),
        _chart(weather),
        {"type": "Divider"},
        _days(weather),
        _row(
            _caption(weather.source),
            {"type": "Spacer"},
            _asking("Warn me of rain", f"Alert me when it rains in {place.name}", "ghost"),
        ),
    )


def cities_card(places: Sequence[Place]) -> DynamicWidgetRoot:
    """Return a card with a button for each city."""
    return _card(
        {"type": "Title", "value": "Which city?", "size": "sm"},
        _row(
            *(_asking(place.name, f"What is the weather in {place.name}?") for place in places),
            gap=2,
            wrap="wrap",
        ),
    )


def degrees(temperature: float) -> str:
    """Return a temperature as text."""
    return f"{round(temperature)} °C"


def summary(weather: Weather) -> str:
    """Return the card as plain text, for copying and screen readers."""
    today = weather.days[0]
    return (
        f"{weather.place.name}: {degrees(weather.temperature)}, {weather.condition}, "
        f"{degrees(today.low)} to {degrees(today.high)} today, humidity {weather.humidity} %, "
        f"wind {weather.wind:.0f} km/h, {today.chance_of_rain} % chance of rain."
    )


Component = dict[str, Any]


def _card(*children: Component) -> DynamicWidgetRoot:
    return DynamicWidgetRoot.model_validate(
        {"type": "Card", "size": "md", "children": list(children)}
    )


def _now(weather: Weather) -> Component:
    today = weather.days[0]
    return _row(
        {"type": "Title", "value": degrees(weather.temperature), "size": "4xl"},
        _column(
            _text(weather.condition.capitalize(), weight="semibold"),
            _caption(f"{degrees(today.low)} to {degrees(today.high)}"),
        ),
        gap=4,
    )


def _details(weather: Weather) -> Component:
    details = [
        ("lucide:droplets", "Humidity", f"{weather.humidity} %"),
        ("lucide:wind", "Wind", f"{weather.wind:.0f} km/h"),
        ("lucide:umbrella", "Rain", f"{weather.days[0].chance_of_rain} %"),
    ]
    return _row(
        *(
            _row(
                {"type": "Icon", "name": icon, "color": "secondary"},
                _column(_caption(name), _text(value, size="sm")),
                gap=2,
            )
            for icon, name, value in details
        ),
        justify="between",
    )


def _chart(weather: Weather) -> Component:
    temperature = {
        "type": "area",
        "dataKey": "temperature",
        "label": "Temperature in °C",
        "color": "orange",
        "curveType": "monotone",
    }
    return {
        "type": "Chart",
        "data": [
            {"hour": f"{each.hour:02}", "temperature": each.temperature} for each in weather.hours
        ],
        "series": [temperature],
        "xAxis": "hour",
        "showYAxis": True,
        "height": 140,
    }


def _days(weather: Weather) -> Component:
    return _row(
        *(
            _column(
                _caption(f"{day.date:%a}"),
                {"type": "Icon", "name": _ICONS[day.condition], "size": "lg"},
                _text(degrees(day.high), size="sm", weight="semibold"),
                _caption(degrees(day.low)),
                align="center",
                gap=1,
            )
            for day in weather.days
        ),
        justify="between",
    )


def _heading(place: Place, caption: str, icon: str) -> Component:
    return _row(
        _column({"type": "Title", "value": place.name, "size": "md"}, _caption(caption)),
        {"type": "Spacer"},
        {"type": "Icon", "name": icon, "size": "3xl", "color": "secondary"},
    )


def _asking(label: str, text: str, variant: str = "soft") -> Component:
    action = {"type": ASK, "payload": {"text": text}}
    return {
        "type": "Button",
        "label": label,
        "variant": variant,
        "size": "sm",
        "onClickAction": action,
    }


def _row(*children: Component, **properties: Any) -> Component:
    return {"type": "Row", "align": "center", **properties, "children": list(children)}


def _column(*children: Component, **properties: Any) -> Component:
    return {"type": "Col", **properties, "children": list(children)}


def _text(value: str, **properties: Any) -> Component:
    return {"type": "Text", "value": value, **properties}


def _caption(value: str) -> Component:
    return {"type": "Caption", "value": value}
