"""The weather, from a public service or, without a network, made up."""

from __future__ import annotations

import asyncio
import math
import random
import time
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel

Condition = Literal["clear", "partly cloudy", "cloudy", "fog", "rain", "snow", "thunderstorm"]


class Place(BaseModel):
    """A place to get the weather for."""

    name: str
    country: str
    latitude: float
    longitude: float
    timezone: str

    def now(self) -> datetime:
        """Return the local time."""
        return datetime.now(ZoneInfo(self.timezone))


class Hour(BaseModel):
    """An hour of a forecast; temperatures are in °C."""

    hour: int
    temperature: float


class Day(BaseModel):
    """A day of a forecast; the chance of rain is in percent."""

    date: date
    condition: Condition
    low: float
    high: float
    chance_of_rain: int


class Weather(BaseModel):
    """The weather at a place: temperatures in °C, humidity in percent, wind in km/h."""

    place: Place
    condition: Condition
    temperature: float
    humidity: int
    wind: float
    hours: list[Hour]
    days: list[Day]
    source: str
    source_url: str | None


class UnknownPlaceError(LookupError):
    """The data contains no such place."""


PLACES = [
    Place(name=name, country=country, latitude=latitude, longitude=longitude, timezone=timezone)
    for name, country, latitude, longitude, timezone in [
        ("Athens", "Greece", 38.0, 23.7, "Europe/Athens"),
        ("Berlin", "Germany", 52.5, 13.4, "Europe/Berlin"),
        ("Buenos Aires", "Argentina", -34.6, -58.4, "America/Argentina/Buenos_Aires"),
        ("Cairo", "Egypt", 30.0, 31.2, "Africa/Cairo"),
        ("Cape Town", "South Africa", -33.9, 18.4, "Africa/Johannesburg"),
        ("Chicago", "United States", 41.9, -87.6, "America/Chicago"),
        ("Delhi", "India", 28.6, 77.2, "Asia/Kolkata"),
        ("Helsinki", "Finland", 60.2, 24.9, "Europe/Helsinki"),
        ("Istanbul", "Türkiye", 41.0, 29.0, "Europe/Istanbul"),
        ("Jakarta", "Indonesia", -6.2, 106.8, "Asia/Jakarta"),
        ("Lagos", "Nigeria", 6.5, 3.4, "Africa/Lagos"),
        ("Lisbon", "Portugal", 38.7, -9.1, "Europe/Lisbon"),
        ("London", "United Kingdom", 51.5, -0.1, "Europe/London"),
        ("Madrid", "Spain", 40.4, -3.7, "Europe/Madrid"),
        ("Mexico City", "Mexico", 19.4, -99.1, "America/Mexico_City"),
        ("Nairobi", "Kenya", -1.3, 36.8, "Africa/Nairobi"),
        ("New York", "United States", 40.7, -74.0, "America/New_York"),
        ("Oslo", "Norway", 59.9, 10.8, "Europe/Oslo"),
        ("Paris", "France", 48.9, 2.4, "Europe/Paris"),
        ("Prague", "Czechia", 50.1, 14.4, "Europe/Prague"),
        ("Reykjavik", "Iceland", 64.1, -21.9, "Atlantic/Reykjavik"),
        ("Rome", "Italy", 41.9, 12.5, "Europe/Rome"),
        ("San Francisco", "United States", 37.8, -122.4, "America/Los_Angeles"),
        ("Seattle", "United States", 47.6, -122.3, "America/Los_Angeles"),
        ("Seoul", "South Korea", 37.6, 127.0, "Asia/Seoul"),
        ("Singapore", "Singapore", 1.4, 103.8, "Asia/Singapore"),
        ("Stockholm", "Sweden", 59.3, 18.1, "Europe/Stockholm"),
        ("Sydney", "Australia", -33.9, 151.2, "Australia/Sydney"),
        ("Tokyo", "Japan", 35.7, 139.7, "Asia/Tokyo"),
        ("Vienna", "Austria", 48.2, 16.4, "Europe/Vienna"),
        ("Zurich", "Switzerland", 47.4, 8.5, "Europe/Zurich"),
    ]
]
"""The places that have weather without a network."""


class Forecasts:
    """Gets forecasts from Open-Meteo, and makes them up while it is unreachable.

    Args:
        url: The URL of the service's forecasts; `None` to always make up the weather.
        search_url: The URL of the search for places.
    """

    TIMEOUT = 3.0
    RETRY_AFTER = 300.0

    def __init__(
        self,
        url: str | None = "https://api.open-meteo.com/v1/forecast",
        search_url: str = "https://geocoding-api.open-meteo.com/v1/search",
    ) -> None:
        self._url = url
        self._search_url = search_url
        self._unreachable_until = math.inf if url is None else -math.inf

    @property
    def source(self) -> str:
        """The source of the weather, for users."""
        return "Open-Meteo" if self._is_live else "made up, because there is no network"

    @property
    def _is_live(self) -> bool:
        return time.monotonic() >= self._unreachable_until

    async def place(self, name: str) -> Place:
        """Return a place by its name.

        Raises:
            UnknownPlaceError: If there is no such place.
        """
        if self._is_live:
            try:
                return await self._find(name)
            except (httpx.HTTPError, ValueError, KeyError):
                self._give_up()
        return known_place(name)

    async def weather(self, place: Place) -> Weather:
        """Return the weather at a place."""
        if self._is_live:
            try:
                return await self._ask(place)
            except (httpx.HTTPError, ValueError, KeyError):
                self._give_up()
        await asyncio.sleep(0.6)  # Like a real service, so that the card visibly fills in.
        return made_up(place)

    def _give_up(self) -> None:
        # Do not wait for it with every request.
        self._unreachable_until = time.monotonic() + self.RETRY_AFTER

    async def _find(self, name: str) -> Place:
        async with httpx.AsyncClient(timeout=self.TIMEOUT) as http:
            found = await http.get(self._search_url, params={"name": name, "count": 1})
            results = found.raise_for_status().json().get("results")
        if not results:
            raise UnknownPlaceError(f"There is no place named {name!r}.")
        return Place.model_validate({"country": "", **results[0]})

    async def _ask(self, place: Place) -> Weather:
        async with httpx.AsyncClient(timeout=self.TIMEOUT) as http:
            response = await http.get(
                str(self._url),
                params={
                    "latitude": place.latitude,
                    "longitude": place.longitude,
                    "timezone": place.timezone,
                    "forecast_days": 5,
                    "current": "temperature_2m,relative_humidity_2m,weather_code,wind_speed_10m",
                    "hourly": "temperature_2m",
                    "daily": "weather_code,temperature_2m_min,temperature_2m_max,"
                    "precipitation_probability_max",
                },
            )
            return _from_open_meteo(place, response.raise_for_status().json())


def known_place(name: str) -> Place:
    """Return one of `PLACES`.

    Raises:
        UnknownPlaceError: If it is not one of them. The message lists them.
    """
    wanted = name.split(",")[0].strip().casefold()
    for place in PLACES:
        if place.name.casefold() == wanted:
            return place
    names = ", ".join(place.name for place in PLACES)
    raise UnknownPlaceError(
        f"There is no weather for {name!r} without a network, only for {names}."
    )


def _from_open_meteo(place: Place, answer: dict[str, Any]) -> Weather:
    now, hourly, daily = answer["current"], answer["hourly"], answer["daily"]
    first = next(i for i, each in enumerate(hourly["time"]) if each >= now["time"][:13])
    return Weather(
        place=place,
        condition=condition_of(now["weather_code"]),
        temperature=now["temperature_2m"],
        humidity=now["relative_humidity_2m"],
        wind=now["wind_speed_10m"],
        hours=[
            Hour(hour=int(each[11:13]), temperature=temperature)
            for each, temperature in zip(
                hourly["time"][first : first + 24],
                hourly["temperature_2m"][first : first + 24],
                strict=True,
            )
        ],
        days=[
            Day(
                date=day, condition=condition_of(code), low=low, high=high, chance_of_rain=rain or 0
            )
            for day, code, low, high, rain in zip(
                daily["time"],
                daily["weather_code"],
                daily["temperature_2m_min"],
                daily["temperature_2m_max"],
                daily["precipitation_probability_max"],
                strict=True,
            )
        ],
        source="Open-Meteo",
        source_url="https://open-meteo.com/",
    )


def condition_of(code: int) -> Condition:
    """Return the condition for a WMO weather code, simplified for icons."""
    if code <= 1:
        return "clear"
    if code <= 3:
        return "partly cloudy" if code == 2 else "cloudy"
    if code <= 48:
        return "fog"
    if code >= 95:
        return "thunderstorm"
    return "snow" if 71 <= code <= 77 or code in (85, 86) else "rain"


def made_up(place: Place, now: datetime | None = None) -> Weather:
    """Return weather that fits the place and the season, and stays the same all day."""
    now = now or place.now()
    chance = random.Random(f"{place.name} {now:%Y-%m-%d}")  # noqa: S311 - no secret
    season = math.cos((now.timetuple().tm_yday - 200) / 365 * 2 * math.pi)
    season *= 1 if place.latitude >= 0 else -1
    mean = 28 - abs(place.latitude) * 0.42 + season * abs(place.latitude) * 0.17
    days = []
    for index in range(5):
        high = mean + 4 + chance.uniform(-3, 3)
        rain = chance.randint(0, 95)
        wet: Condition = "snow" if high < 1 else "rain"
        sky: list[Condition] = ["clear", "partly cloudy", "cloudy"]
        days.append(
            Day(
                date=now.date() + timedelta(days=index),
                condition=wet if rain > 60 else sky[min(2, rain // 20)],
                low=round(high - chance.uniform(5, 9), 1),
                high=round(high, 1),
                chance_of_rain=rain,
            )
        )
    today = days[0]

    def temperature(hour: int) -> float:
        warmth = (1 + math.cos((hour - 15) / 24 * 2 * math.pi)) / 2
        return round(today.low + (today.high - today.low) * warmth, 1)

    hours = [(now.hour + index) % 24 for index in range(24)]
    return Weather(
        place=place,
        condition=today.condition,
        temperature=temperature(now.hour),
        humidity=chance.randint(35, 90),
        wind=round(chance.uniform(2, 32), 1),
        hours=[Hour(hour=hour, temperature=temperature(hour)) for hour in hours],
        days=days,
        source="Made up, because there is no network",
        source_url=None,
    )
