"""The script that answers without a language model, and understands a few words of English."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from agent_framework import Content
from PIL import Image, ImageStat, UnidentifiedImageError

from samples.scripted import Turn, call

from .agent import location_of
from .forecast import PLACES

HELP = """\
I am a **script**, not a language model. I demonstrate this chat, and understand only a few words.

- *What is the weather in Oslo?*, *Compare Rome and Tokyo*, *Which cities do you know?*
- *What time is it in Seoul?*
- *What should I wear in London?* asks you a question first.
- *Alert me when it rains in Paris* needs your approval.
- *Where am I?* and *Use dark colors* run in this page.
- Attach a picture of the sky, or a file with city names.

To talk to a real model, restart the sample with `OPENAI_API_KEY`, or see its README.
"""


def cities_in(text: str) -> list[str]:
    """Return the cities that a text mentions, in order."""
    found = [
        (match.start(), place.name)
        for place in PLACES
        if (match := re.search(rf"\b{re.escape(place.name)}\b", text, re.IGNORECASE))
    ]
    return [name for _, name in sorted(found)]


def city_of(turn: Turn) -> str | None:
    """Return the city in question, which may be from an earlier message."""
    return next(iter(cities_in(turn.text) or reversed(cities_in(turn.earlier))), None)


def answer(turn: Turn) -> Iterator[Content]:
    """Yield the next texts and calls of the script."""
    if turn.images and not turn.results:
        yield from look_at(turn.images[0])
    elif turn.says("alert", "warn", "tell me when"):
        yield from alert(turn)
    elif turn.says("time", "clock"):
        yield from tell_time(turn)
    elif turn.says("wear", "pack", "umbrella"):
        yield from advise(turn)
    elif turn.says("where am i", "here", "my place"):
        yield from locate(turn)
    elif turn.says("dark", "light"):
        yield from change_colors(turn)
    elif cities_in(turn.text) or (
        city_of(turn) and turn.says("tomorrow", "weather", "rain", "and now")
    ):
        yield from forecast(turn, cities_in(turn.text)[:3] or [city_of(turn) or ""])
    elif turn.says("weather", "cities", "city", "choose"):
        yield from choose(turn)
    else:
        yield Content.from_text(HELP)


def forecast(turn: Turn, cities: Sequence[str]) -> Iterator[Content]:
    """Get the weather in each city, then say which is the warmest."""
    found = [result for name, result in turn.results if name == "get_weather"]
    if not found:
        yield Content.from_text_reasoning(
            text=f"The user wants the weather in {' and '.join(cities)}. "
            f"I will look it up{' for all cities in parallel' if len(cities) > 1 else ''}."
        )
        for city in cities:
            yield call("get_weather", city=city)
        return
    readings = [(temperature_in(each), each) for each in found]
    text = found[0].split(" Source:")[0]
    if len(found) > 1:
        warmest = max(readings)[1].split(":")[0]
        coldest = min(readings)[1].split(":")[0]
        text = f"**{warmest}** is the warmest now, and **{coldest}** the coldest."
    else:
        temperature = readings[0][0]
        mood = "warm" if temperature > 20 else "mild" if temperature > 9 else "cold"
        text = f"It is {mood} in **{text.split(':')[0]}**: {text.split(': ')[-1]}"
    yield Content.from_text(text)
    yield from cite(found[0], len(text))


def choose(turn: Turn) -> Iterator[Content]:
    """Let the user choose a city."""
    if turn.result("choose_city") is None:
        yield call("choose_city")
    else:
        yield Content.from_text("Choose one, or name another.")


def tell_time(turn: Turn) -> Iterator[Content]:
    """Tell the time in a city."""
    city = city_of(turn)
    if city is None:
        yield from choose(turn)
    elif (now := turn.result("get_time")) is None:
        yield call("get_time", city=city)
    else:
        yield Content.from_text(f"In {city} it is **{now}**.")


def alert(turn: Turn) -> Iterator[Content]:
    """Subscribe to alerts, which the user must approve."""
    city = city_of(turn)
    event = next((each for each in ("snow", "frost", "storm") if turn.says(each)), "rain")
    if city is None:
        yield from choose(turn)
    elif (outcome := turn.result("subscribe_to_alerts")) is None:
        yield Content.from_text(f"Shall I alert you whenever there is {event} in {city}?")
        yield call("subscribe_to_alerts", city=city, event=event)
    elif outcome.startswith("Subscribed"):
        yield Content.from_text(f"Done. {outcome}")
    else:
        yield Content.from_text("All right, no alerts.")


def advise(turn: Turn) -> Iterator[Content]:
    """Ask about the user's plans, check the weather, and say what to wear."""
    city = city_of(turn)
    answers = turn.result("ask_user")
    weather = turn.result("get_weather")
    if city is None:
        yield from choose(turn)
    elif answers is None:
        question = {
            "question": f"What will you do in {city}?",
            "options": ["Walk", "Cycle", "Sit outside"],
        }
        yield call("ask_user", questions=[question])
    elif weather is None:
        yield call("get_weather", city=city)
    else:
        temperature = temperature_in(weather)
        clothes = "a T-shirt" if temperature > 20 else "a jacket" if temperature > 9 else "a coat"
        rain = int((re.search(r"(\d+) % chance", weather) or ["", "0"])[1])
        text = f"To {activity_in(answers)}, take {clothes}"
        text += " and an umbrella." if rain > 40 else ". You will not need an umbrella."
        yield Content.from_text(text)
        yield from cite(weather, len(text))


def locate(turn: Turn) -> Iterator[Content]:
    """Ask the page for its location, then get the weather there."""
    where = turn.result("get_location")
    if where is None:
        yield call("get_location")
    elif (city := location_of(where)) is None:
        yield Content.from_text(
            "Your browser does not tell me where you are. Which city is near you?"
        )
    else:
        yield from forecast(turn, [city])


def change_colors(turn: Turn) -> Iterator[Content]:
    """Tell the page to change its colors."""
    scheme = "dark" if turn.says("dark") else "light"
    if turn.result("set_color_scheme") is None:
        yield call("set_color_scheme", scheme=scheme)
    else:
        yield Content.from_text(f"The page is {scheme} now.")


def look_at(uri: str) -> Iterator[Content]:
    """Describe a picture as far as a script can."""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
        sky = image.convert("RGB").crop((0, 0, image.width, max(1, image.height // 2)))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        yield Content.from_text("I cannot open this picture.")
        return
    red, _, blue = ImageStat.Stat(sky).mean
    brightness = sum(ImageStat.Stat(sky.convert("L")).mean)
    seen = "dark" if brightness < 70 else "blue" if blue > red * 1.15 else "grey or bright"
    yield Content.from_text(
        f"The picture is {image.width} by {image.height} pixels, and its upper half is mostly "
        f"**{seen}**. A real model would tell you what is in it."
    )


def cite(weather: str, end: int) -> Iterator[Content]:
    """Cite the source of the weather at the end of a text."""
    if (found := re.search(r"Source: (.+?)\. (https?://\S+)", weather)) is not None:
        region = {"type": "text_span", "start_index": 0, "end_index": end}
        citation: Any = {
            "type": "citation",
            "title": found[1],
            "url": found[2],
            "annotated_regions": [region],
        }
        yield Content.from_text("", annotations=[citation])


def temperature_in(weather: str) -> float:
    """Return the temperature in a tool's result, in °C."""
    found = re.search(r"(-?\d+) °C", weather)
    return float(found[1]) if found else 0.0


def activity_in(answers: str) -> str:
    """Return the activity that the user chose."""
    try:
        given = json.loads(answers)["answers"][0]["answer"]
    except (ValueError, KeyError, IndexError, TypeError):
        return "go out"
    return str(given[0] if isinstance(given, list) else given).lower()
